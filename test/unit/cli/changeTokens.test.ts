import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parseProject } from "@store/cli/project/project";
import type { Session } from "@store/cli/project/session";
import { changeTokens } from "@store/cli/staff/changeTokens";
import { guardEdit } from "@store/cli/state/guardEdit";
import { checkpointFile, findState } from "@store/cli/state/state";
import { CliError, ExitCode } from "@store/docker/cliError";

const TWO_TOKENS = `config:
  store:staffTokens:
    ana: sha256:0
    zoe: sha256:0
`;
const ONE_TOKEN = TWO_TOKENS.replace(/ *ana.*\n/, "");

/** Stub of the engine: removes a line from the configuration, and runs a script instead of an `up`. The last argument of `up` is the file for the engine's events. */
const ENGINE = `#!/bin/bash
case $1 in
  version) echo v99.0.0 ;;
  config) sed -i /ana:/d "$PULUMI_OPTION_CONFIG_FILE" ;;
  up) . "$UP_SCRIPT" ;;
esac
`;

const URN = "urn:pulumi:dev::store::command:local:Command::staff-tokens";

describe("changeTokens", () => {
  const environment = { ...process.env };
  let folder: string;
  let session: Session;
  let docker: Server;
  /** Texts of the stack's file while Docker was being set up. */
  let textsAtSetUp: string[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "store-tokens-"));
    textsAtSetUp = [];
    docker = createServer(({ url }, response) => {
      const isSetUp = url?.endsWith("/version");
      if (isSetUp) textsAtSetUp.push(textOf(session));
      response.end(JSON.stringify(isSetUp ? { Version: "29.0.0", Arch: "amd64" } : []));
    }).listen(0, "127.0.0.1");
    await once(docker, "listening");
    session = createSession(folder);
    for (const [name, content] of [
      ["pulumi", ENGINE],
      ["pulumi-language-nodejs", "#!/bin/sh\n"],
      ["docker", "#!/bin/sh\n"],
    ] as const)
      writeFileSync(join(folder, name), content, { mode: 0o755 });
    process.env["PATH"] = folder + delimiter + (environment["PATH"] ?? "");
    process.env["XDG_CACHE_HOME"] = join(folder, "cache");
    process.env["UP_SCRIPT"] = join(folder, "up.sh");
    process.env["DOCKER_HOST"] = `tcp://127.0.0.1:${(docker.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    docker.close();
    docker.closeAllConnections();
    for (const name of ["PATH", "XDG_CACHE_HOME", "UP_SCRIPT", "DOCKER_HOST"]) {
      if (environment[name] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = environment[name];
    }
    rmSync(folder, { recursive: true });
  });

  /** @param up Script that runs as the engine's `up`. */
  function remove(up: string): Promise<boolean> {
    writeFileSync(join(folder, "up.sh"), up);
    const silent = { step: ignore, note: ignore, progress: ignore };
    const change = { command: "remove", name: "ana", value: undefined, check: ignore } as const;
    return changeTokens(session, change, silent);
  }

  it("edits the stack's file after everything is set up that the engine needs", async () => {
    assert.equal(await remove("exit 0"), true);
    assert.deepEqual(new Set(textsAtSetUp), new Set([TWO_TOKENS]));
    assert.equal(textOf(session), ONE_TOKEN);
  });

  it("doesn't name another command to run again in the engine's errors", async () => {
    const event = JSON.stringify({
      ...{ diagnosticEvent: { urn: URN, severity: "error", message: "sh: not found" } },
      ...{ resOpFailedEvent: { metadata: { op: "update", urn: URN, type: "command" } } },
    });
    await assert.rejects(remove(`echo '${event}' > "\${@: -1}"; exit 1`), {
      hint: /^Fix the cause, then: \.\/store token remove ana$/m,
    });
  });

  it("restores the file after a failure, and names its own command to run again", async () => {
    await assert.rejects(remove("echo 'error: x' >&2; exit 1"), (error) => {
      assert.ok(error instanceof CliError);
      assert.match(error.hint ?? "", /Pulumi\.dev\.yaml is as before\. .*token remove ana$/);
      return true;
    });
    assert.equal(textOf(session), TWO_TOKENS);
  });

  it("restores the file after an interruption, which leaves nothing to continue", async () => {
    const event = JSON.stringify({ summaryEvent: { result: "canceled" } });
    const interrupted = remove(`echo '${event}' > "\${@: -1}"; exit 1`);
    await assert.rejects(interrupted, {
      hint: "Pulumi.dev.yaml is as before. Run again: ./store token remove ana",
      exitCode: ExitCode.Interrupted,
    });
    assert.equal(textOf(session), TWO_TOKENS);
  });

  it("keeps an edit that was made during the up", async () => {
    await assert.rejects(remove(`echo "# mine" >> ${session.stack.file}; exit 1`), {
      hint: /Pulumi\.dev\.yaml was edited meanwhile and isn't restored\. Apply it: \.\/store up$/,
    });
    assert.equal(textOf(session), `${ONE_TOKEN}# mine\n`);
  });
});

describe("guardEdit", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "store-edit-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(name: string, content: string): string {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  }

  it("undoes the edit if the process exits before the edit has taken effect", () => {
    const files = ["open", "kept", "edited", "deleted"].map((name) => write(name, "after"));
    const script = `const { rmSync, writeFileSync } = require("node:fs");
      const { guardEdit } = require("@store/cli/state/guardEdit");
      const [, , edited, deleted] = process.argv.slice(1);
      const edits = process.argv.slice(1).map((file) => guardEdit(file, "before"));
      edits[1].keep();
      writeFileSync(edited, "mine");
      rmSync(deleted);
      process.exit(7);`;
    const { status } = spawnSync(
      process.execPath,
      ["--require", "ts-node/register/transpile-only", "-e", script, ...files],
      { cwd: __dirname, stdio: "ignore" },
    );
    assert.equal(status, 7);
    const texts = readdirSync(folder).map((name) => [
      name,
      readFileSync(join(folder, name), "utf8"),
    ]);
    assert.deepEqual(Object.fromEntries(texts), { open: "before", kept: "after", edited: "mine" });
  });

  it("leaves no handler of the process's exit", () => {
    const file = write("file", "after");
    const handlers = process.listenerCount("exit");
    guardEdit(file, "before").undo();
    assert.equal(readFileSync(file, "utf8"), "before");
    guardEdit(file, "other").keep();
    assert.equal(process.listenerCount("exit"), handlers);
  });
});

function createSession(root: string): Session {
  const file = join(root, "Pulumi.dev.yaml");
  writeFileSync(file, TWO_TOKENS);
  const config =
    "config:\n  store:host: { default: local }\n  store:staffTokens: { type: object }\n";
  const project = parseProject(root, `name: store\nruntime: nodejs\n${config}`);
  const stack = { name: "dev", file };
  const state = findState(project, {}, stack);
  const checkpoint = checkpointFile(state, stack.name) ?? assert.fail("no file");
  mkdirSync(dirname(checkpoint), { recursive: true });
  const resources = [{ urn: URN, type: "command:local:Command" }];
  writeFileSync(checkpoint, JSON.stringify({ checkpoint: { latest: { resources } } }));
  return { project, stack, state };
}

function textOf({ stack }: Session): string {
  return readFileSync(stack.file, "utf8");
}

function ignore(): void {
  // No check, no output.
}
