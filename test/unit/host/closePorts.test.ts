import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  readMachineScript,
  readWithoutComments,
  withArguments,
} from "../../../components/shell/shell";

const FOLDER = join(__dirname, "../../../components/host/ssh");
const UNIT = readWithoutComments(FOLDER, "store-firewall@.service");
const [FIRST, SECOND] = ["1".repeat(64), "2".repeat(64)];

describe("closePorts.sh", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "store-test-"));
    for (const path of ["bin", "system/multi-user.target.wants", "systemd"])
      mkdirSync(join(folder, path), { recursive: true });
    const tools = {
      id: '[ "$1" = -u ] && echo 1000 || echo deploy',
      sudo: 'shift; exec "$@"',
      docker: `echo ${FIRST.slice(0, 12)}; echo ${SECOND.slice(0, 12)}`,
      systemctl: `echo "$@" >>${folder}/calls; [ "$1" != "$FAILING" ] || { echo broken >&2; exit 1; }`,
      tee: '[ "$FAILING" != tee ] || { echo broken >&2; exit 1; }; exec /usr/bin/tee "$@"',
    };
    for (const [name, text] of Object.entries(tools))
      writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Adds the unit of a network, which an earlier run has enabled. */
  function addOldUnit(network: string): void {
    const unit = `system/multi-user.target.wants/store-firewall@br-${network}.service`;
    symlinkSync("../store-firewall@.service", join(folder, unit));
  }

  /** Runs the script with folders of the test's own instead of systemd's. Returns its output and the calls of systemctl. */
  function close(failing = ""): { readonly output: string; readonly calls: readonly string[] } {
    const script = readMachineScript(FOLDER, "closePorts.sh")
      .replaceAll("/etc/systemd/system", join(folder, "system"))
      .replaceAll("/run/systemd/system", join(folder, "systemd"));
    const { status, stdout, stderr } = spawnSync(
      "sh",
      ["-c", withArguments(script, [UNIT, FIRST, SECOND])],
      {
        env: { PATH: `${folder}/bin:${process.env["PATH"] ?? ""}`, FAILING: failing },
        encoding: "utf8",
      },
    );
    assert.equal(status, 0, stderr);
    const log = join(folder, "calls");
    const calls = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
    return { output: stdout, calls };
  }

  it("starts a unit for the bridge of each network, also at each boot", () => {
    const names = "store-firewall@br-111111111111 store-firewall@br-222222222222";
    assert.deepEqual(close(), {
      output: "",
      calls: [`stop ${names}`, "daemon-reload", `enable --quiet --now ${names}`],
    });
    assert.equal(readFileSync(join(folder, "system/store-firewall@.service"), "utf8"), `${UNIT}\n`);
  });

  it("removes the units of networks that don't exist any more, and keeps those of other stacks", () => {
    addOldUnit("222222222222");
    addOldUnit("333333333333");
    const removed = close().calls.filter((call) => call.startsWith("disable"));
    assert.deepEqual(removed, ["disable --quiet --now store-firewall@br-333333333333"]);
  });

  it("changes nothing and says why without systemd and without root", () => {
    writeFileSync(join(folder, "bin/sudo"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    assert.match(
      close().output,
      /reach this machine's own ports, because the user deploy is not root/,
    );
    rmSync(join(folder, "systemd"), { recursive: true });
    const { output, calls } = close();
    assert.match(output, /because it has no systemd/);
    assert.deepEqual(calls, []);
  });

  for (const failing of ["disable", "tee", "daemon-reload", "enable"])
    it(`doesn't fail on a machine whose firewall can't be changed, because of ${failing}`, () => {
      addOldUnit("333333333333");
      assert.match(close(failing).output, /because its firewall can't be changed: broken/);
    });

  it("removes no rules if Docker doesn't list its networks", () => {
    addOldUnit("333333333333");
    writeFileSync(join(folder, "bin/docker"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const { output, calls } = close();
    assert.match(output, /because Docker doesn't answer the user /);
    assert.deepEqual(calls, []);
  });

  it("deletes each rule that it inserts", () => {
    const rules = (setting: string): string[] =>
      UNIT.split("\n")
        .filter((line) => line.startsWith(setting) && !line.includes("--new-chain"))
        .map((line) => line.replace(/^.*--(insert|delete) /, ""));
    assert.equal(rules("ExecStart=").length, 4);
    assert.deepEqual(rules("ExecStopPost=-"), rules("ExecStart="));
  });
});
