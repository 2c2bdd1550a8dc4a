import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBackend } from "@store/cli/state/backend";
import { CliError } from "@store/docker/cliError";
import { parseProject, Project, Stack } from "@store/cli/project/project";
import { InterruptedRun } from "@store/cli/state/interruptedRun";
import {
  findState,
  createTempStackConfig,
  makeRunFolder,
  prepareState,
  State,
} from "@store/cli/state/state";

const FILE = "config:\n  # a comment\n  store:httpPort: 8080\n";
const SALT = "v1:c2FsdA==:v1:bm9uY2U=:dGV4dA==";

describe("state folder", () => {
  let root: string;
  let project: Project;
  /** Without the login of the user who runs the tests. */
  const env = (): NodeJS.ProcessEnv => ({ PULUMI_HOME: join(root, "home") });

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "store with spaces-"));
    project = parseProject(root, "name: store\nruntime: nodejs\n");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  describe("findBackend", () => {
    it("defaults to files in the workspace", () => {
      const backend = findBackend(project, join(root, ".store"), env());
      assert.equal(backend.kind, "workspace");
      assert.match(backend.url, /^file:\/\/.*store%20with%20spaces-.*\/\.store\/state$/);
    });

    it("prefers the user's choice, in the engine's order of precedence", () => {
      const url = (variables: NodeJS.ProcessEnv, text = "name: store\n"): string =>
        findBackend(parseProject(root, text), root, { ...env(), ...variables }).url;
      mkdirSync(join(root, "home"));
      writeFileSync(join(root, "home/credentials.json"), '{"current": "s3://login"}');
      const withProject = "name: store\nbackend: { url: s3://project }\n";
      assert.equal(
        url({ PULUMI_BACKEND_URL: "s3://environment" }, withProject),
        "s3://environment",
      );
      assert.equal(url({}, withProject), "s3://project");
      assert.equal(url({}), "s3://login");
      writeFileSync(join(root, "home/credentials.json"), '{"current": ""}');
      assert.match(url({}), /^file:/);
      assert.equal(url({ PULUMI_ACCESS_TOKEN: "pul-1" }), "https://api.pulumi.com");
    });

    it("names an invalid file of credentials", () => {
      mkdirSync(join(root, "home"));
      writeFileSync(join(root, "home/credentials.json"), "{");
      assert.throws(() => findBackend(project, root, env()), /credentials\.json is not valid JSON/);
    });
  });

  describe("passphrase", () => {
    it("is created once, readable by its owner only", () => {
      const state = findState(project, env());
      const file = prepareState(state, env())["PULUMI_CONFIG_PASSPHRASE_FILE"] ?? "";
      const passphrase = readFileSync(file, "utf8");
      assert.match(passphrase, /^[\w-]{43}\n$/);
      assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.equal(statSync(state.folder).mode & 0o777, 0o700);
      prepareState(state, env());
      assert.equal(readFileSync(file, "utf8"), passphrase);
      assert.deepEqual(readdirSync(state.folder).sort(), ["passphrase", "state"]);
    });

    it("is the user's own if one is set, even an empty one", () => {
      const variables = { ...env(), PULUMI_CONFIG_PASSPHRASE: "" };
      const state = findState(project, variables);
      assert.equal(prepareState(state, variables)["PULUMI_CONFIG_PASSPHRASE_FILE"], undefined);
      assert.equal(existsSync(join(state.folder, "passphrase")), false);
    });
  });

  describe("prepareState", () => {
    it("removes the attribute files that a killed engine left incomplete, and no other file", () => {
      const shared = join(root, "shared by a team");
      const variables = { ...env(), PULUMI_BACKEND_URL: `file://${shared}?no_tmp_dir=true` };
      for (const [backend, used] of [
        [join(root, ".store/state"), env()],
        [shared, variables],
      ] as const) {
        const stacks = join(backend, ".pulumi/stacks/store");
        mkdirSync(stacks, { recursive: true });
        const files = {
          "dev.json": "{",
          "dev.json.attrs": "",
          "dev.json.bak.attrs": '{"user.cache_control":"","user.con',
          "staging.json.attrs": '{"md5":"KHXmzdP9Ppju9rXGrZIGFQ=="}\n',
        };
        for (const [name, text] of Object.entries(files)) writeFileSync(join(stacks, name), text);
        prepareState(findState(project, used), used);
        assert.deepEqual(readdirSync(stacks).sort(), ["dev.json", "staging.json.attrs"]);
      }
    });

    it("leaves a backend that it can't read to the engine", () => {
      for (const url of ["s3://bucket", "file:///does/not/exist", "file:///%zz"]) {
        const variables = { ...env(), PULUMI_BACKEND_URL: url };
        assert.deepEqual(prepareState(findState(project, variables), variables), {});
      }
    });
  });

  describe("the file of an interrupted run", () => {
    it("keeps the names of all runs since the last that succeeded", () => {
      const run = new InterruptedRun(findState(project, env()), "dev");
      run.recordNames(["edge-1"]);
      run.recordNames(["edge-2", "edge-1"]);
      assert.deepEqual(run.resourceNames(), ["edge-1", "edge-2"]);
    });

    it("may have been left incomplete by a killed process", () => {
      const run = new InterruptedRun(findState(project, env()), "dev");
      mkdirSync(join(root, ".store/unfinished"), { recursive: true });
      writeFileSync(join(root, ".store/unfinished/dev.json"), '["edge-');
      run.recordNames(["edge-2"]);
      assert.deepEqual(run.resourceNames(), ["edge-2"]);
      assert.deepEqual(readdirSync(join(root, ".store/unfinished")), ["dev.json"]);
    });
  });

  describe("createTempStackConfig", () => {
    let state: State;
    let stack: Stack;
    let copy: string;
    const read = (): string => readFileSync(stack.file, "utf8");

    beforeEach(() => {
      state = findState(project, env());
      prepareState(state, env());
      const stacks = join(root, ".store/state/.pulumi/stacks/store");
      mkdirSync(stacks, { recursive: true });
      writeFileSync(
        join(stacks, "dev.json"),
        JSON.stringify({
          checkpoint: { latest: { secrets_providers: { state: { salt: SALT } } } },
        }),
      );
      stack = { name: "dev", file: join(root, "Pulumi.dev.yaml") };
      writeFileSync(stack.file, FILE);
    });

    const createCopy = (): { restore: () => void } => {
      const config = createTempStackConfig(state, stack, makeRunFolder(state));
      copy = config.env["PULUMI_OPTION_CONFIG_FILE"] ?? "";
      return config;
    };

    it("adds the salt of the state to the copy and leaves the file unchanged", () => {
      const config = createCopy();
      assert.equal(readFileSync(copy, "utf8"), `${FILE}encryptionsalt: ${SALT}\n`);
      config.restore();
      assert.equal(read(), FILE);
    });

    it("copies the engine's changes back", () => {
      const config = createCopy();
      writeFileSync(copy, `config:\n  store:httpPort: "9000"\nencryptionsalt: ${SALT}\n`);
      config.restore();
      assert.equal(read(), "config:\n  # a comment\n  store:httpPort: 9000\n");
    });

    it("removes a salt that the engine has written into the file itself", () => {
      const config = createCopy();
      writeFileSync(stack.file, `config:\n  store:httpPort: "8080"\nencryptionsalt: ${SALT}\n`);
      config.restore();
      assert.equal(read(), FILE);
    });

    it("keeps an edit made during the run", () => {
      const config = createCopy();
      writeFileSync(stack.file, `${FILE}# edited\n`);
      config.restore();
      assert.equal(read(), `${FILE}# edited\n`);
    });

    it("keeps both an edit and the engine's change, and reports the conflict", () => {
      const config = createCopy();
      writeFileSync(stack.file, `${FILE}# edited\n`);
      writeFileSync(copy, FILE.replace("8080", "9000"));
      assert.throws(config.restore, (error: unknown) => {
        assert.ok(error instanceof CliError);
        assert.match(error.message, /Pulumi\.dev\.yaml.*Pulumi\.dev\.yaml\.engine/);
        return true;
      });
      assert.equal(read(), `${FILE}# edited\n`);
      assert.match(readFileSync(join(root, ".store/Pulumi.dev.yaml.engine"), "utf8"), /9000/);
    });

    it("uses the file itself with a backend of the user's", () => {
      const userState: State = {
        ...state,
        backend: { kind: "user", url: "s3://x", from: "PULUMI_BACKEND_URL" },
      };
      assert.deepEqual(createTempStackConfig(userState, stack, root).env, {});
      const other = { name: "dev", file: join(root, "other.yaml") };
      assert.deepEqual(createTempStackConfig(userState, other, root).env, {
        PULUMI_OPTION_CONFIG_FILE: other.file,
      });
    });
  });
});
