import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyRulesTo, failedStep } from "../cli/failedRun";

const IMAGE = "registry.example.com/store/inventory:1";
const DIGEST = `sha256:${"a".repeat(64)}`;
const MANIFEST = JSON.stringify({
  Descriptor: { digest: DIGEST, platform: { os: "linux", architecture: "amd64" } },
});

/** What components/image/publish/publish.mjs does is up to what the docker command says; here a script says it. */
describe("publishing an image", () => {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "store-test-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  interface Said {
    readonly stdout: string;
    readonly stderr: string;
    /** The commands that were run, without their options. */
    readonly ran: readonly string[];
  }

  /** @param docker Lines of a shell's `case "$1" in`. */
  function publish(
    docker: string,
    from: object = { image: "postgres:18.4" },
    login: object = { username: "me", password: "secret" },
    path = `${folder}:/usr/bin:/bin`,
  ): Said {
    const command = join(folder, "docker");
    const log = join(folder, "ran");
    writeFileSync(log, "");
    writeFileSync(
      command,
      `#!/bin/sh\necho "$1" >>${log}\ncase "$1" in\n${docker}\n*) exit 0 ;;\nesac\n`,
    );
    chmodSync(command, 0o700);
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ["components/image/publish/publish.mjs"],
      {
        input: JSON.stringify({
          address: "registry.example.com",
          ...login,
        }),
        env: {
          PATH: path,
          HOME: folder,
          IMAGE,
          PLATFORM: "linux/amd64",
          FROM: JSON.stringify(from),
        },
        encoding: "utf8",
      },
    );
    const ran = spawnSync("cat", [log], { encoding: "utf8" }).stdout.trim().split("\n");
    return { stdout, stderr, ran };
  }

  /** What the command makes of it. */
  function told({ stdout, stderr }: Said): { why: string; evidence: readonly string[] } {
    const message = `exit status 1: running "node components/image/publish/publish.mjs":\n${stdout}${stderr}`;
    const [found] = applyRulesTo(failedStep("t", "inventory-image:1", message));
    assert.equal(found?.rule.name, "image-not-published");
    const [, why = "", details = ""] = found.match;
    return { why, evidence: details.split("\n").filter((line) => line.trim() !== "") };
  }

  it("takes what the registry has", () => {
    const said = publish(`manifest) echo '${MANIFEST}' ;;`);
    assert.equal(said.stdout, DIGEST);
    assert.deepEqual(said.ran, ["login", "manifest"]);
  });

  it("goes to a registry in Azure by the user's own login there, which it keeps nowhere", () => {
    const az = join(folder, "az");
    writeFileSync(az, `#!/bin/sh\n[ "$1 $2 $6" = "acr login mine" ] && echo a-token\n`);
    chmodSync(az, 0o700);
    const azureRegistry =
      "/subscriptions/s1/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/mine";
    const loginByToken = `login) [ "$3 $(cat)" = "00000000-0000-0000-0000-000000000000 a-token" ] || exit 1 ;;`;
    const said = publish(`${loginByToken}\nmanifest) echo '${MANIFEST}' ;;`, undefined, {
      azureRegistry,
    });
    assert.equal(said.stdout, DIGEST, said.stderr);
    assert.deepEqual(said.ran, ["login", "manifest"]);
    assert.doesNotMatch(said.stderr, /a-token/);
  });

  it("says what it takes to push to a registry in Azure", () => {
    const azureRegistry =
      "/subscriptions/s1/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/mine";
    const said = publish("", undefined, { azureRegistry });
    assert.match(told(said).why, /^store:azureRegistry: needs Azure's command az/);
  });

  it("pushes what the registry doesn't have", () => {
    const said = publish(
      `manifest) echo "no such manifest: x" >&2; exit 1 ;;\npush) echo "1: digest: ${DIGEST} size: 7" ;;`,
    );
    assert.equal(said.stdout, DIGEST);
    assert.deepEqual(said.ran, ["login", "manifest", "image", "tag", "push"]);
  });

  it("asks whether the login is right before anything is built", () => {
    const said = publish(
      `login) echo "Error response from daemon: login attempt to https://registry.example.com/v2/ failed with status: 401 Unauthorized" >&2; exit 1 ;;`,
    );
    assert.deepEqual(said.ran, ["login"]);
    const { why, evidence } = told(said);
    assert.match(
      why,
      /registry\.example\.com refuses the login \(store:registry: username, password\)/,
    );
    assert.match(evidence.join("\n"), /401 Unauthorized/);
    assert.doesNotMatch(said.stderr, /secret/);
  });

  for (const error of [
    "dial tcp: lookup registry.example.com: no such host",
    "dial tcp 203.0.113.5:443: connect: no route to host",
    "net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
    "context deadline exceeded",
  ]) {
    it(`says that the registry is away: ${error}`, () => {
      const said = publish(
        `login) echo 'Error response from daemon: Get "https://registry.example.com/v2/": ${error}' >&2; exit 1 ;;`,
      );
      assert.match(told(said).why, /can't be reached \(store:registry: address\)/);
    });
  }

  it("says that the connection broke, without the layers that were on their way", () => {
    const said = publish(
      `manifest) echo "no such manifest: x" >&2; exit 1 ;;
push) echo "0123456789ab: Pushed"; echo "123456789abc: Retrying in 1 second"; echo "Put https://registry.example.com/v2/: EOF" >&2; exit 1 ;;`,
    );
    const { why, evidence } = told(said);
    assert.match(why, /connection .* broke/);
    assert.deepEqual(evidence, ["Put https://registry.example.com/v2/: EOF"]);
  });

  it("says at once that there is no docker command", () => {
    const began = performance.now();
    const said = publish("", undefined, undefined, "/nowhere");
    assert.match(told(said).why, /^pushing images needs the docker command on PATH/);
    assert.ok(performance.now() - began < 20_000, "what it would have waited for holds up its end");
  });

  it("shows the end of what a failed build has printed", () => {
    const said = publish(
      `manifest) echo "no such manifest: x" >&2; exit 1 ;;
buildx) exit 0 ;;
build) echo "#7 ERROR: process npm ci did not complete: exit code: 1"; exit 1 ;;`,
      { context: "services/inventory", dockerfile: "Dockerfile", buildArgs: {}, labels: {} },
    );
    const { why, evidence } = told(said);
    assert.equal(why, "services/inventory/Dockerfile can't be built");
    assert.match(evidence.join("\n"), /npm ci did not complete/);
  });
});
