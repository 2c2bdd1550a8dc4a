import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeChoice } from "@store/cli/commands/deploy/state";
import { ensureStack } from "@store/cli/engine/ensureStack";
import { parseProject } from "@store/cli/project/project";
import { findBackend } from "@store/cli/state/backend";
import { azureContainer, copyHistory } from "@store/cli/state/move/historyFiles";
import { MoveJournal } from "@store/cli/state/move/moveJournal";
import { differences, resourcesByUrn } from "@store/cli/state/move/stackContent";
import { ScratchProject, StackAtBackend } from "@store/cli/state/move/stackAtBackend";
import { findState, prepareState } from "@store/cli/state/state";
import { withEnvironment } from "../../environment";

describe("a stack's shared state", () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), "store-move-"))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** Finds the state of a stack whose file has these lines. */
  const stateOf = (text: string, env: NodeJS.ProcessEnv = {}) => {
    const file = join(root, "Pulumi.staging.yaml");
    writeFileSync(file, text);
    const project = parseProject(root, "name: store\nbackend: { url: s3://project }\n");
    const variables = { PULUMI_HOME: root, ...env };
    const stack = { name: "staging", file };
    return { state: findState(project, variables, stack), project, file, variables };
  };
  const SHARED = "config:\n  store:stateBackend: azblob://state?storage_account=team\n";

  it("is at the backend that the stack's file names, unless PULUMI_BACKEND_URL is set", () => {
    const { state, project, file, variables } = stateOf(SHARED);
    assert.equal(state.backend.url, "azblob://state?storage_account=team");
    assert.match(JSON.stringify(state.backend), /Pulumi\.staging\.yaml \(store:stateBackend\)/);
    const env = { ...variables, PULUMI_BACKEND_URL: "s3://environment" };
    assert.equal(findBackend(project, root, env, file).url, "s3://environment");
    assert.equal(stateOf("config: {}\n").state.backend.url, "s3://project");
  });

  it("is refused with its key if it isn't a URL", () => {
    assert.throws(
      () => stateOf("config:\n  store:stateBackend: nonsense\n"),
      /store:stateBackend\): "nonsense" isn't the URL of a backend/,
    );
  });

  it("may be in a folder relative to the project", () => {
    const { state } = stateOf("config:\n  store:stateBackend: file://../team state\n");
    assert.equal(state.backend.url, `file://${join(root, "../team state")}`);
  });

  it("is passed to the engine with the stack's own passphrase, which other stacks don't use", () => {
    const { state, variables } = stateOf(SHARED);
    assert.deepEqual(prepareState(state, variables), { PULUMI_BACKEND_URL: state.backend.url });
    mkdirSync(join(root, ".store/passphrases"), { recursive: true });
    writeFileSync(join(root, ".store/passphrases/staging"), "secret");
    const file = join(root, ".store/passphrases/staging");
    assert.equal(prepareState(state, variables)["PULUMI_CONFIG_PASSPHRASE_FILE"], file);
    const own = { ...variables, PULUMI_CONFIG_PASSPHRASE: "own" };
    assert.equal(prepareState(state, own)["PULUMI_CONFIG_PASSPHRASE_FILE"], undefined);
  });

  it("isn't replaced by an empty one when a commit from before the move is checked out", async () => {
    const { project, file } = stateOf("config: {}\n");
    const stack = { name: "staging", file };
    const found = findState(parseProject(root, "name: store\n"), { PULUMI_HOME: root }, stack);
    const move = { from: found.backend.url, to: "azblob://state", step: "done", hash: "" } as const;
    new MoveJournal(found, "staging").write(move);
    const engine = { pulumi: "/nowhere/pulumi", version: "3", how: "path", env: {} } as const;
    const up = () => ensureStack({ project, stack, state: found }, { engine, env: {} });
    await assert.rejects(
      up,
      /was moved to azblob:\/\/state, but Pulumi\.staging\.yaml doesn't name/,
    );
    new MoveJournal(found, "staging").write({ ...move, step: "copying" });
    await assert.rejects(up, /Starting|Creating the stack/);
  });

  it("is compared with the original by name, without values", () => {
    const content = (url: string, password: string, urns: readonly string[], history: number) => ({
      resources: resourcesByUrn(
        JSON.stringify({
          deployment: { resources: urns.map((urn) => ({ urn, outputs: { url } })) },
        }),
      ),
      config: { "store:password": { value: password, secret: true } },
      history,
    });
    const original = content("a", "hunter2", ["x", "y", "y"], 3);
    const same = content("a", "hunter2", ["x", "y", "y"], 3);
    assert.deepEqual(differences(original, same, { withHistory: true }), []);
    const copy = content("a", "other", ["x", "y"], 2);
    assert.deepEqual(differences(original, copy, { withHistory: true }), [
      "resource y (replaced)",
      "configuration store:password",
      "history: 2 of 3 entries",
    ]);
    assert.deepEqual(
      differences(original, content("b", "hunter2", ["x", "y", "y"], 0), { withHistory: false }),
      ["resource x", "resource y", "resource y (replaced)"],
    );
  });

  it("has its history copied between folders, and says for which backends it isn't", async () => {
    const from = join(root, "from");
    mkdirSync(join(from, ".pulumi/history/store/dev"), { recursive: true });
    writeFileSync(join(from, ".pulumi/history/store/dev/1.history.json"), "{}");
    const copy = (to: string) =>
      copyHistory(`file://${from}`, to, "store/dev", join(root, "scratch"));
    assert.equal(await copy(`file://${join(root, "to")}`), undefined);
    const copied = join(root, "to/.pulumi/history/store/dev/1.history.json");
    assert.equal(readFileSync(copied, "utf8"), "{}");
    assert.match((await copy("https://api.pulumi.com")) ?? "", /https:\/\/api\.pulumi\.com/);
  });

  it("has its history left if az isn't installed, and says so", async () => {
    const azure = "azblob://state?storage_account=team";
    await withEnvironment({ PATH: root }, async () => {
      const reason = await copyHistory(azure, `file://${root}`, "store/dev", join(root, "x"));
      assert.match(reason ?? "", /Azure CLI \(az\), which isn't on PATH/);
    });
  });

  it("says that the state is moved if only the old one can't be renamed", async () => {
    const pulumi = join(root, "pulumi");
    writeFileSync(pulumi, "#!/bin/sh\necho 'error: denied' >&2\nexit 255\n", { mode: 0o755 });
    const project = new ScratchProject(join(root, "scratch"), "store", "dev", "config: {}\n");
    const place = { pulumi, env: process.env, project, url: "file:///old", stack: "dev" };
    const old = new StackAtBackend(place);
    await assert.rejects(old.rename("dev-moved"), /The state was moved, but the old one on file:/);
    await assert.rejects(old.forget(), /Moving the state failed/);
  });

  it("says how to remove the choice of a backend, by its place", () => {
    assert.match(removeChoice("the login in /home/me/credentials.json"), /pulumi logout/);
    assert.match(removeChoice("Pulumi.yaml (backend.url)"), /Remove backend\.url/);
    assert.equal(removeChoice("PULUMI_ACCESS_TOKEN"), "Unset PULUMI_ACCESS_TOKEN");
  });

  it("is found by az with the same account and key as by the engine", () => {
    const url = "azblob://state/team?storage_account=acme";
    const login = ["--account-name", "acme", "--auth-mode", "login"];
    assert.deepEqual(azureContainer(url, {}), { container: "state", prefix: "team/", args: login });
    const withKey = azureContainer(url, { AZURE_STORAGE_KEY: "k" });
    assert.deepEqual(withKey.args, ["--account-name", "acme"]);
  });
});
