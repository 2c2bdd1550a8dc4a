import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { remedyFor, runSteps } from "@store/cli/ci/setup/runSteps";
import { az, renderScript } from "@store/cli/ci/setup/step";
import { stateUrl, teamNames } from "@store/cli/ci/setup/teamNames";
import { teamSteps } from "@store/cli/ci/setup/teamSteps";

const NAMES = teamNames("acme/store", "australiaeast");
const STEPS = teamSteps(NAMES, true);
const SILENT = { step: () => undefined, note: () => undefined, progress: () => undefined };
const CREATES = / (create|update|set) | --method /;

describe("./store ci setup", () => {
  let folder: string;
  let variables: ReadonlyMap<string, string>;
  const { PATH } = process.env;

  before(async () => {
    folder = stubs();
    process.env.PATH = `${folder}${delimiter}${PATH ?? ""}`;
    process.env.STUB_STATE = folder;
    variables = await apply();
  });
  after(() => {
    process.env.PATH = PATH;
    delete process.env.STUB_STATE;
    rmSync(folder, { recursive: true, force: true });
  });

  const content = (name: string): string[] =>
    existsSync(join(folder, name))
      ? readFileSync(join(folder, name), "utf8").trim().split("\n")
      : [];
  const made = (): string[] => content("calls").filter((call) => CREATES.test(call));
  const apply = () => runSteps(STEPS, SILENT, 1);

  it("makes everything once; a second run changes nothing", async () => {
    const first = made().length;
    assert.equal(first, STEPS.filter(({ create }) => create.length > 0).length);
    assert.deepEqual(await apply(), variables);
    assert.equal(made().length, first);
    assert.ok(content("variables").includes(`STORE_STATE=${stateUrl(NAMES)}`));
    const clientId = variables.get("DEPLOY_CLIENT_ID") ?? "";
    assert.ok(content("variables").includes(`AZURE_CLIENT_ID=${clientId}`));
  });

  it("lets jobs of pull requests read only, and trusts main alone with the deploy", () => {
    const rolesOf = (name: string): string[] =>
      content("calls").flatMap((call) => {
        const [, id, role] =
          /role assignment create .*-object-id (\S+) .*--role (.*)/.exec(call) ?? [];
        return id === variables.get(name) && role !== undefined ? [role] : [];
      });
    assert.deepEqual(rolesOf("PREVIEW_OBJECT_ID"), [
      "Reader",
      "Storage Blob Data Reader",
      "Key Vault Crypto User",
    ]);
    assert.deepEqual(content(`credential.${variables.get("PREVIEW_CLIENT_ID") ?? ""}`), [
      "repo:acme/store:pull_request",
    ]);
    const deploy = content(`credential.${variables.get("DEPLOY_CLIENT_ID") ?? ""}`);
    assert.ok(!deploy.includes("repo:acme/store:pull_request"));
    assert.deepEqual(content("policies"), ["main"]);
  });

  it("trusts a pull request's environment only if it is told to", () => {
    const script = renderScript(teamSteps(NAMES));
    assert.match(script, /environment:staging/);
    assert.doesNotMatch(script, /pull-requests|STORE_ENVIRONMENTS/);
  });

  it("prints a script that makes the same from nothing", () => {
    const other = stubs();
    try {
      const { status, stderr } = spawnSync("bash", ["-c", renderScript(STEPS)], {
        encoding: "utf8",
        env: { ...process.env, PATH: `${other}${delimiter}${PATH ?? ""}`, STUB_STATE: other },
      });
      assert.equal(status, 0, stderr);
      for (const list of ["accounts", "containers", "keys", "environments", "policies"]) {
        assert.equal(readFileSync(join(other, list), "utf8"), content(list).join("\n") + "\n");
      }
      assert.match(readFileSync(join(other, "variables"), "utf8"), /^AZURE_CLIENT_ID=0000/m);
    } finally {
      rmSync(other, { recursive: true, force: true });
    }
  });

  it("blames rights only for a refusal, not for digits in an ID", () => {
    assert.match(remedyFor("gh", "HTTP 403: Resource not accessible"), /new role takes/);
    assert.match(remedyFor("az", "(AuthorizationFailed) The client"), /new role takes/);
    assert.equal(remedyFor("az", "No quota in /subscriptions/1403-4031"), "Fix the cause.");
  });

  it("says to wait for a thing that was made and doesn't show yet", async () => {
    const step = {
      title: "Thing",
      find: az("group list --query [].name --output tsv"),
      create: [az("group create --name x --location y")],
    };
    await assert.rejects(runSteps([{ ...step, expect: "never" }], SILENT, 1), {
      hint: "Wait a minute. Then run the command again: it skips what exists.",
    });
  });

  it("says how to log in", async () => {
    writeFileSync(join(folder, "logged-out"), "");
    await assert.rejects(apply(), ({ summary, hint }: { summary: string; hint: string }) => {
      assert.match(`${summary} ${hint}`, /stopped at: Subscription.*Log in: az login\..*again/s);
      return true;
    });
  });
});

/** Makes a folder with the substitutes of az and gh, and with their state. */
function stubs(): string {
  const folder = mkdtempSync(join(tmpdir(), "store-setup-"));
  for (const program of ["az", "gh"]) {
    copyFileSync(join(__dirname, `${program}.sh`), join(folder, program));
    chmodSync(join(folder, program), 0o755);
  }
  return folder;
}
