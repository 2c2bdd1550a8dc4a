import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { rebootStack } from "@store/cli/commands/host/reboot";
import type { CheckContext } from "@store/cli/doctor/check";
import { checkHost } from "@store/cli/doctor/hostChecks";
import {
  awaitNextBoot,
  describePending,
  readBootState,
  sendReboot,
} from "@store/cli/host/bootState";
import type { Session } from "@store/cli/project/session";
import { CliError, ExitCode } from "@store/docker/cliError";
import { withEnvironment } from "../../environment";
import { Gateway, remoteSession } from "./remoteStack";

/**
 * SUBSTITUTE for ssh: a host whose boot ID is in the file `boot`, with `pending` updates. A reboot makes it unreachable once. The file
 * `refusal` makes it refuse to reboot.
 */
const SSH = `#!/bin/sh
cd "$(dirname "$0")" && echo "$*" >> calls
case "$*" in
  *"systemctl reboot"*)
    [ -e refusal ] && { echo "sudo: a password is required" >&2; exit 1; }
    echo down > state; echo "Connection to host closed by remote host." >&2; exit 255 ;;
esac
if [ "$(cat state)" = down ]; then
  echo up > state; echo second-boot > boot; rm -f pending
  echo "ssh: connect to host 192.0.2.1 port 22: Connection refused" >&2; exit 255
fi
cat boot
if [ -e pending ]; then echo reboot-required; cat pending; fi
`;

/** SUBSTITUTE for ssh that runs the command on this machine, in another login shell than sh. */
const SSH_TO_HERE = `#!/bin/sh
for last; do :; done
exec bash -c "$last"
`;

describe("the reboot of a remote host", () => {
  const gateway = new Gateway();
  let bin: string;
  let session: Session;
  let notes: string[];
  const note = (text: string): void => void notes.push(text);
  const report = { step: note, note, progress: () => undefined };
  const target = { args: ["host"] };

  before(() => gateway.start());
  after(() => gateway.stop());
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), "store-reboot-"));
    writeFileSync(join(bin, "ssh"), SSH, { mode: 0o755 });
    writeFileSync(join(bin, "state"), "up");
    writeFileSync(join(bin, "boot"), "first-boot\n");
    session = remoteSession({ "store:host": "ssh" }, { port: gateway.port });
    notes = [];
  });
  afterEach(() => rmSync(bin, { recursive: true }));

  const onHost = async <T>(action: () => Promise<T>): Promise<T> => {
    let result: T | undefined;
    const PATH = [bin, process.env["PATH"]].join(delimiter);
    await withEnvironment({ PATH, CI: "true" }, async () => {
      result = await action();
    });
    return result as T;
  };
  const reboot = (yes = true): Promise<string | undefined> =>
    onHost(() => rebootStack(session, { yes, intervalMs: 10 }, report));

  it("says what needs it, and ends when the host has booted again and the store answers", async () => {
    writeFileSync(join(bin, "pending"), "libc6\nlinux-image-amd64\n");
    assert.equal(await reboot(), gateway.url);
    assert.match(
      notes.join("\n"),
      /^Updates need a reboot of the host \(libc6, linux-image-amd64\)\./,
    );
    assert.equal(readFileSync(join(bin, "boot"), "utf8"), "second-boot\n");
  });

  it("happens on request also if no update needs it", async () => {
    await reboot();
    assert.match(notes[0] ?? "", /^No update needs a reboot/);
    assert.equal(readFileSync(join(bin, "boot"), "utf8"), "second-boot\n");
  });

  it("doesn't happen without a confirmation", async () => {
    await assert.rejects(
      () => reboot(false),
      (error: CliError) => error.exitCode === ExitCode.Usage && /--yes/.test(error.hint ?? ""),
    );
    assert.ok(!existsSync(join(bin, "calls")));
  });

  it("is reported as refused if the user may not reboot the host", async () => {
    writeFileSync(join(bin, "refusal"), "");
    await assert.rejects(reboot, (error: CliError) => {
      assert.match(error.details.join("\n"), /a password is required/);
      assert.match(error.hint ?? "", /sudo without a password/);
      return true;
    });
  });

  it("isn't tried on a host that doesn't answer", async () => {
    writeFileSync(join(bin, "ssh"), "#!/bin/sh\necho 'No route to host' >&2\nexit 255\n");
    await assert.rejects(reboot, (error: CliError) => {
      assert.match(error.summary, /doesn't answer over SSH: No route to host/);
      assert.match(error.hint ?? "", /\.\/store ssh/);
      return true;
    });
  });

  it("isn't taken for refused if the host goes down without a word", async () => {
    writeFileSync(join(bin, "ssh"), "#!/bin/sh\nexec sleep 60\n");
    await onHost(() => sendReboot(target, { timeoutMs: 200 }));
  });

  it("has a limit for a host that doesn't boot again", async () => {
    const wait = { before: "first-boot", limitMs: 50, intervalMs: 10, timeoutMs: 5000 };
    assert.equal(await onHost(() => awaitNextBoot(target, wait)), false);
  });

  it("is refused for a local stack, and for one that isn't up", async () => {
    session = remoteSession({ "store:host": "local" }, {});
    await assert.rejects(reboot, (error: CliError) => error.exitCode === ExitCode.Usage);
  });

  it("is recommended by ps and doctor if updates need it", async () => {
    writeFileSync(join(bin, "pending"), ["a", "b", "c", "d", "e"].join("\n"));
    const state = await onHost(() => readBootState(target, { timeoutMs: 5000 }));
    const advice = "Updates on the host need a reboot (a, b, c and 2 more): ./store reboot staging";
    assert.equal(describePending(state, "staging"), advice);
    const [result] = await onHost(() => checkHost({ session } as CheckContext));
    assert.deepEqual(result, {
      ...{ title: "Host", status: "ok", found: "127.0.0.1 answers" },
      hint: advice.replace(" staging", ""),
    });
    const calls = readFileSync(join(bin, "calls"), "utf8").trim().split("\n");
    assert.match(calls[0] ?? "", /-o ConnectTimeout=5 -o BatchMode=yes host sh -c/);
    rmSync(join(bin, "pending"));
    const later = await onHost(() => readBootState(target, { timeoutMs: 5000 }));
    assert.equal(describePending(later, "staging"), undefined);
  });

  it("is known by the ID of the boot that the host's kernel has", async function () {
    const file = "/proc/sys/kernel/random/boot_id";
    if (!existsSync(file)) this.skip();
    writeFileSync(join(bin, "ssh"), SSH_TO_HERE);
    const { bootId, pending } = await onHost(() => readBootState(target, { timeoutMs: 30_000 }));
    assert.equal(bootId, readFileSync(file, "utf8").trim());
    assert.equal(pending !== undefined, existsSync("/run/reboot-required"));
  });
});
