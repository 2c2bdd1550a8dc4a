import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { applyRulesTo, failedStep } from "../cli/diagnostics/failedRun";

const IMAGE = "registry.example.com/store/inventory:1";
const DIGEST = `sha256:${"a".repeat(64)}`;
const MANIFEST = JSON.stringify({
  Descriptor: { digest: DIGEST, platform: { os: "linux", architecture: "amd64" } },
});

/** The answer of a Docker that has pushed the image. */
const PUSHED = `image) echo '["registry.example.com/store/inventory@${DIGEST}"]' ;;`;

// A script takes the place of the docker command, whose output determines what publish.mjs does.
describe("publish.mjs", () => {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "store-test-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  interface Result {
    readonly stdout: string;
    readonly stderr: string;
    /** The docker commands that were run, without their options. */
    readonly ran: readonly string[];
  }

  /** @param docker Lines of a shell's `case "$1" in`. */
  function publish(
    docker: string,
    from: object = { image: "postgres:18.4" },
    login: object = { username: "me", password: "secret" },
    path = `${folder}:/usr/bin:/bin`,
    env: NodeJS.ProcessEnv = {},
  ): Result {
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
          ...env,
        },
        encoding: "utf8",
      },
    );
    const ran = spawnSync("cat", [log], { encoding: "utf8" }).stdout.trim().split("\n");
    return { stdout, stderr, ran };
  }

  /** Returns the diagnostic of the `store` command for the output. */
  function diagnosed({ stdout, stderr }: Result): { why: string; evidence: readonly string[] } {
    const message = `exit status 1: running "node components/image/publish/publish.mjs":\n${stdout}${stderr}`;
    const [found] = applyRulesTo(failedStep("t", "inventory-image:1", message));
    assert.equal(found?.rule.name, "image-not-published");
    const [, why = "", details = ""] = found.match;
    return { why, evidence: details.split("\n").filter((line) => line.trim() !== "") };
  }

  it("prints the digest of an image that the registry has, if this machine has pushed it", () => {
    const result = publish(`manifest) echo '${MANIFEST}' ;;\n${PUSHED}`);
    assert.equal(result.stdout, DIGEST);
    assert.deepEqual(result.ran, ["login", "info", "manifest", "image", "info", "manifest"]);
  });

  for (const [what, local] of [
    ["no image of this machine", "exit 1"],
    [
      "another image of this machine",
      `echo '["registry.example.com/store/inventory@sha256:other"]'`,
    ],
    ["the same image of another repository", `echo '["registry.example.com/inventory@${DIGEST}"]'`],
  ] as const)
    it(`replaces what the registry has under the tag and deploys its own if it is ${what}`, () => {
      const own = `sha256:${"b".repeat(64)}`;
      const docker = [
        `manifest) echo '${MANIFEST}' ;;`,
        `image) case "$5" in ${IMAGE}) ${local} ;; esac ;;`,
        `push) echo "1: digest: ${own} size: 7" ;;`,
      ];
      const result = publish(docker.join("\n"));
      assert.equal(result.stdout, own, result.stderr);
      assert.match(
        result.stderr,
        /an image as .*inventory:1 \(sha256:a+\).* isn't used, and replaced/,
      );
    });

  it("doesn't push a fallback image, unless a trial asks for it", () => {
    const fallback = `manifest) echo "no such manifest: x" >&2; exit 1 ;;
image) [ "$4" = "{{.Id}}" ] || echo fallback ;;
push) echo "1: digest: ${DIGEST} size: 7" ;;`;
    const result = publish(fallback);
    assert.equal(result.stdout, "");
    assert.match(
      diagnosed(result).why,
      /postgres:18\.4 is a fallback image .*STORE_PUBLISH_FALLBACKS=1/,
    );
    assert.ok(!result.ran.includes("push"));
    const trial = publish(fallback, undefined, undefined, undefined, {
      STORE_PUBLISH_FALLBACKS: "1",
    });
    assert.equal(trial.stdout, DIGEST);
  });

  it("builds on the published base image, whatever the registry has under its tag by now", () => {
    const base = `registry.example.com/store/kit:1@${DIGEST}`;
    const from = {
      ...{ context: ".", dockerfile: "Dockerfile", labels: {}, bases: [base] },
      buildArgs: { BASE_IMAGE: "registry.example.com/store/kit:1" },
    };
    const log = join(folder, "pulled");
    const result = publish(
      `manifest) echo "no such manifest: x" >&2; exit 1 ;;
image) exit 1 ;;
pull|tag) echo "$@" >>${log} ;;
push) echo "1: digest: ${DIGEST} size: 7" ;;`,
      from,
    );
    assert.equal(result.stdout, DIGEST, result.stderr);
    assert.deepEqual(readFileSync(log, "utf8").trim().split("\n"), [
      `pull --platform linux/amd64 registry.example.com/store/kit@${DIGEST}`,
      `tag registry.example.com/store/kit@${DIGEST} registry.example.com/store/kit:1`,
      `tag ${IMAGE} ${IMAGE}-${"a".repeat(12)}`,
    ]);
  });

  it("uses the user's Azure login for an Azure registry without storing a token", () => {
    const az = join(folder, "az");
    writeFileSync(az, `#!/bin/sh\n[ "$1 $2 $6" = "acr login mine" ] && echo a-token\n`);
    chmodSync(az, 0o700);
    const azureRegistry =
      "/subscriptions/s1/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/mine";
    const loginByToken = `login) [ "$3 $(cat)" = "00000000-0000-0000-0000-000000000000 a-token" ] || exit 1 ;;`;
    const result = publish(
      `${loginByToken}\nmanifest) echo '${MANIFEST}' ;;\n${PUSHED}`,
      undefined,
      {
        azureRegistry,
      },
    );
    assert.equal(result.stdout, DIGEST, result.stderr);
    assert.deepEqual(result.ran, ["login", "info", "manifest", "image", "info", "manifest"]);
    assert.doesNotMatch(result.stderr, /a-token/);
  });

  it("suggests installing az for an Azure registry", () => {
    const azureRegistry =
      "/subscriptions/s1/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/mine";
    const result = publish("", undefined, { azureRegistry });
    assert.match(diagnosed(result).why, /^store:azureRegistry: needs Azure's command az/);
  });

  it("pushes an image that the registry doesn't have", () => {
    const result = publish(
      `manifest) echo "no such manifest: x" >&2; exit 1 ;;\npush) echo "1: digest: ${DIGEST} size: 7" ;;`,
    );
    assert.equal(result.stdout, DIGEST);
    assert.deepEqual(result.ran, [
      ...["login", "info", "manifest", "image", "image", "tag", "push"],
      ...["info", "manifest", "tag", "push", "rmi"],
    ]);
  });

  describe("gives the digest a tag of its own, which no other stack moves", () => {
    const ownTag = `${IMAGE}-${"a".repeat(12)}`;
    const log = (): string[] => readFileSync(join(folder, "log"), "utf8").trim().split("\n");
    const lookUp = (ofOwnTag: string, ofTag = ofOwnTag): string =>
      `manifest) case "$*" in *${ownTag}) ${ofOwnTag} ;; *) ${ofTag} ;; esac ;;`;
    const missing = `echo "no such manifest: x" >&2; exit 1`;
    const push = `tag|push|rmi) echo "$@" >>$HOME/log; echo "1: digest: ${DIGEST} size: 7" ;;`;

    it("after the push", () => {
      const result = publish(`${lookUp(missing)}\n${push}`);
      assert.equal(result.stdout, DIGEST, result.stderr);
      assert.deepEqual(log(), [
        `tag postgres:18.4 ${IMAGE}`,
        `push ${IMAGE}`,
        `tag ${IMAGE} ${ownTag}`,
        `push ${ownTag}`,
        `rmi ${ownTag}`,
      ]);
    });

    it("also if an interrupted run has pushed the image without it", () => {
      const result = publish(`${lookUp(missing, `echo '${MANIFEST}'`)}\n${PUSHED}\n${push}`);
      assert.equal(result.stdout, DIGEST, result.stderr);
      assert.deepEqual(log(), [`tag ${IMAGE} ${ownTag}`, `push ${ownTag}`, `rmi ${ownTag}`]);
    });

    it("and fails if the registry refuses the tag", () => {
      const refusing = `push) case "$2" in ${ownTag}) echo "denied: x" >&2; exit 1 ;; *) echo "1: digest: ${DIGEST} size: 7" ;; esac ;;`;
      const result = publish(`${lookUp(missing)}\n${refusing}`);
      assert.equal(result.stdout, "");
      assert.match(diagnosed(result).why, /rejects the login/);
    });
  });

  describe("with docker's own configuration", () => {
    const own = {
      auths: { "mirror.example.com": { auth: "bWU6b3du" } },
      credsStore: "desktop",
      proxies: { default: { httpProxy: "http://proxy:3128" } },
      currentContext: "other",
    };
    const saveConfig = `[ "$1" != manifest ] || cp "$DOCKER_CONFIG/config.json" $HOME/used.json`;
    const used = (): unknown => JSON.parse(readFileSync(join(folder, "used.json"), "utf8"));
    beforeEach(() => {
      mkdirSync(join(folder, ".docker"));
      writeFileSync(join(folder, ".docker/config.json"), JSON.stringify(own));
    });

    it("keeps the user's logins and proxies, and the registry's login out of the credential store", () => {
      const result = publish(`manifest) ${saveConfig}; echo '${MANIFEST}' ;;\n${PUSHED}`);
      assert.equal(result.stdout, DIGEST, result.stderr);
      const { currentContext: _, ...kept } = own;
      const auth = Buffer.from("me:secret").toString("base64");
      assert.deepEqual(used(), {
        ...kept,
        auths: { ...own.auths, "registry.example.com": { auth } },
        credHelpers: { "registry.example.com": "" },
      });
    });

    it("uses the registry's login instead of the environment's, and leaves the logins of others there", () => {
      const auth = { auth: "bWU6b3du" };
      const auths = { "registry.example.com": auth, "mirror.example.com": auth };
      const docker = `manifest) echo "$DOCKER_AUTH_CONFIG" >$HOME/used.json; echo '${MANIFEST}' ;;\n${PUSHED}`;
      const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths }) };
      publish(docker, undefined, undefined, undefined, env);
      assert.deepEqual(used(), { auths: { "mirror.example.com": auth } });
      publish(docker, undefined, {}, undefined, env);
      assert.deepEqual(used(), { auths });
    });

    it("uses the user's own login if store:registry has none", () => {
      const login = { username: "", password: "" };
      const docker = `manifest) ${saveConfig}; echo '${MANIFEST}' ;;\n${PUSHED}`;
      const result = publish(docker, undefined, login);
      assert.equal(result.stdout, DIGEST, result.stderr);
      assert.deepEqual(result.ran, ["info", "manifest", "image", "info", "manifest"]);
      const { currentContext: _, ...kept } = own;
      assert.deepEqual(used(), kept);
    });

    it("tells to log in if the user's own login is rejected", () => {
      const docker = `manifest) echo "unauthorized: authentication required" >&2; exit 1 ;;`;
      const { why } = diagnosed(publish(docker, undefined, {}));
      assert.match(why, /run docker login registry\.example\.com/);
    });
  });

  it("looks an image up by plain HTTP if the daemon does so", () => {
    const config = JSON.stringify({
      InsecureRegistryCIDRs: ["127.0.0.0/8"],
      IndexConfigs: { "registry.example.com": { Secure: false } },
    });
    const result = publish(
      `info) echo '${config}' ;;\nmanifest) [ "$4" = --insecure ] && echo '${MANIFEST}' ;;\n${PUSHED}`,
    );
    assert.equal(result.stdout, DIGEST, result.stderr);
  });

  it("checks the login before the build", () => {
    const result = publish(
      `login) echo "Error response from daemon: login attempt to https://registry.example.com/v2/ failed with status: 401 Unauthorized" >&2; exit 1 ;;`,
    );
    assert.deepEqual(result.ran, ["login"]);
    const { why, evidence } = diagnosed(result);
    assert.match(
      why,
      /registry\.example\.com rejects the login \(store:registry: username, password\)/,
    );
    assert.match(evidence.join("\n"), /401 Unauthorized/);
    assert.doesNotMatch(result.stderr, /secret/);
  });

  for (const error of [
    "dial tcp: lookup registry.example.com: no such host",
    "dial tcp 203.0.113.5:443: connect: no route to host",
    "net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
    "context deadline exceeded",
  ]) {
    it(`reports an unreachable registry: ${error}`, () => {
      const result = publish(
        `login) echo 'Error response from daemon: Get "https://registry.example.com/v2/": ${error}' >&2; exit 1 ;;`,
      );
      assert.match(diagnosed(result).why, /can't be reached \(store:registry: address\)/);
    });
  }

  it("reports a broken connection without the progress of the layers", () => {
    const result = publish(
      `manifest) echo "no such manifest: x" >&2; exit 1 ;;
push) echo "0123456789ab: Pushed"; echo "123456789abc: Retrying in 1 second"; echo "Put https://registry.example.com/v2/: EOF" >&2; exit 1 ;;`,
    );
    const { why, evidence } = diagnosed(result);
    assert.match(why, /connection .* broke/);
    assert.deepEqual(evidence, ["Put https://registry.example.com/v2/: EOF"]);
  });

  it("reports a missing docker command at once", () => {
    const began = performance.now();
    const result = publish("", undefined, undefined, "/nowhere");
    assert.match(diagnosed(result).why, /needs the docker command/);
    assert.ok(performance.now() - began < 20_000, "the exit waited for the time limit");
  });

  it("passes build secrets by name", () => {
    const result = publish(
      `manifest) echo "no such manifest: x" >&2; exit 1 ;;
build) echo "$*" >&2; exit 1 ;;`,
      {
        ...{ context: "services/inventory", dockerfile: "Dockerfile", buildArgs: {}, labels: {} },
        secrets: [
          { id: "token", env: "TOKEN" },
          { id: "npmrc", src: ".npmrc" },
        ],
      },
    );
    assert.match(result.stderr, /--secret id=token,env=TOKEN --secret id=npmrc,src=\.npmrc /);
  });

  it("shows the end of the output of a failed build", () => {
    const result = publish(
      `manifest) echo "no such manifest: x" >&2; exit 1 ;;
buildx) exit 0 ;;
build) echo "#7 ERROR: process npm ci did not complete: exit code: 1"; exit 1 ;;`,
      { context: "services/inventory", dockerfile: "Dockerfile", buildArgs: {}, labels: {} },
    );
    const { why, evidence } = diagnosed(result);
    assert.equal(why, "services/inventory/Dockerfile can't be built");
    assert.match(evidence.join("\n"), /npm ci did not complete/);
  });
});
