import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { AzureCli } from "@store/azure-emulator/azureCli/azureCli";
import { AzureAccounts } from "@store/azure-emulator/registry/accounts";
import { startStack } from "@store/cli/commands/host/start";
import { stopStack } from "@store/cli/commands/host/stop";
import { diagnoseRun } from "@store/cli/diagnostics/diagnose";
import { connectHostDocker } from "@store/cli/docker/hostDocker";
import { checkHost } from "@store/cli/doctor/hostChecks";
import type { CheckContext } from "@store/cli/doctor/check";
import { VmStopped } from "@store/cli/host/stoppedVm";
import { awaitStore } from "@store/cli/lifecycle/awaitStore";
import type { Session } from "@store/cli/project/session";
import { takeLock } from "@store/cli/state/locks";
import { readStackCheckpoint, stackLockFile } from "@store/cli/state/state";
import { CliError, ExitCode } from "@store/docker/cliError";
import { IDS, TestCloud } from "../../azure-emulator/fixture";
import { withEnvironment } from "../../environment";
import { failedStep } from "../diagnostics/failedRun";
import { Gateway, remoteSession } from "./remoteStack";

const AZURE = { "store:host": "azure" };

/** ssh without a connection. */
const SSH =
  "#!/bin/sh\necho 'ssh: connect to host 192.0.2.1 port 22: Connection timed out' >&2\nexit 255\n";

describe("the power of an Azure stack's VM", () => {
  const gateway = new Gateway();
  let bin: string;
  let env: Record<string, string | undefined>;
  let session: Session;
  let notes: string[];
  const note = (text: string): void => void notes.push(text);
  const report = { step: note, note, progress: () => undefined };

  before(() => gateway.start());
  after(() => gateway.stop());
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), "store-power-"));
    writeFileSync(join(bin, "ssh"), SSH, { mode: 0o755 });
    writeFileSync(join(bin, "az"), AZ, { mode: 0o755 });
    writeFileSync(join(bin, "power"), "running");
    env = { PATH: [bin, process.env["PATH"]].join(delimiter), CI: "true" };
    session = remoteSession(AZURE, { vmId: IDS.machine, port: gateway.port });
    notes = [];
  });
  afterEach(() => rmSync(bin, { recursive: true }));

  const stop = (): Promise<void> =>
    withEnvironment(env, () => stopStack(session, { yes: true }, report));
  const start = async (): Promise<string | undefined> => {
    let url: string | undefined;
    await withEnvironment(env, async () => {
      url = await startStack(session, report);
    });
    return url;
  };
  const power = (): string => readFileSync(join(bin, "power"), "utf8").trim();
  const calls = (): string => readFileSync(join(bin, "calls"), "utf8");
  /** Makes a subcommand of az fail, or all of them, with the error that the emulator prints for `az vm start`. */
  const failWith = async (fault: string, subcommand = "all"): Promise<void> => {
    const test = new TestCloud();
    try {
      await test.all();
      await test.cloud.setPower(IDS.machine, "deallocated");
      if (fault === "vm-gone") await test.cloud.remove(IDS.machine);
      else test.faults = [fault];
      const cli = new AzureCli(test.cloud, new AzureAccounts(), () => test.faults);
      const { stderr } = await cli.run(["vm", "start", "--ids", IDS.machine]);
      writeFileSync(join(bin, `error.${subcommand}`), stderr);
    } finally {
      test.dispose();
    }
  };

  it("is switched off by stop, which says what the stack costs meanwhile, and on by start", async () => {
    await stop();
    assert.equal(power(), "deallocated");
    assert.match(
      notes.join("\n"),
      /is stopped\. Start it: \.\/store start\nMonthly cost while it is stopped: 3\.65 USD instead of 137\.97 USD, for public address \(unverified/,
    );
    assert.equal(await start(), gateway.url);
    assert.equal(power(), "running");
    assert.match(calls(), /^vm deallocate --ids \S+\/vm --only-show-errors$/m);
    assert.match(calls(), /^vm start --ids \S+\/vm --only-show-errors$/m);
  });

  it("stays as it is by a second stop and a second start, which say so", async () => {
    await stop();
    await stop();
    assert.match(notes.join("\n"), /already stopped/);
    await start();
    assert.equal(await start(), gateway.url);
    assert.match(notes.join("\n"), /already runs/);
    assert.equal(calls().match(/^vm (start|deallocate) /gm)?.length, 2);
  });

  it("is that of all VMs of a stack with several", async () => {
    const workers = { "worker-1": `${IDS.machine}1`, "worker-2": `${IDS.machine}2` };
    session = remoteSession(AZURE, { vmId: IDS.machine, workers, port: gateway.port });
    await stop();
    assert.match(notes.join("\n"), /^Stopping the 3 VMs of the stack dev$/m);
    assert.match(notes.join("\n"), /instead of 406\.61 USD/);
    for (const name of ["vm", "vm1", "vm2"])
      assert.match(calls(), new RegExp(`^vm deallocate --ids \\S+/${name} `, "m"));
    await start();
    assert.equal(calls().match(/^vm start /gm)?.length, 3);
    await start();
    assert.match(notes.join("\n"), /The 3 VMs of the stack dev already run\./);
    assert.equal(calls().match(/^vm start /gm)?.length, 3);
  });

  it("needs a confirmation to be switched off", async () => {
    await withEnvironment(env, () =>
      assert.rejects(
        () => stopStack(session, { yes: false }, report),
        (error: CliError) =>
          error.exitCode === ExitCode.Usage && /Pass --yes: .*stop.* --yes/.test(error.hint ?? ""),
      ),
    );
    assert.equal(power(), "running");
  });

  it("isn't changed while another run works on the stack", async () => {
    const release = takeLock(stackLockFile(session.state, "dev"), "dev", "up dev");
    try {
      await assert.rejects(stop, /Another run is working on the stack dev: `\.\/store up dev`/);
      await assert.rejects(start, /Another run is working/);
    } finally {
      release();
    }
    await stop();
    assert.ok(!existsSync(stackLockFile(session.state, "dev")));
  });

  it("is given back to Azure also if it was only shut down, which costs money", async () => {
    writeFileSync(join(bin, "power"), "stopped");
    await stop();
    assert.equal(power(), "deallocated");
  });

  const refusals: readonly [what: string, fault: string, summary: RegExp, hint: RegExp][] = [
    ["az isn't logged in", "login", /az isn't logged in/, /^Log in: az login/],
    ["the login lacks the subscription", "subscription", /no access to.*subscription/, /az login/],
    ["Azure has no capacity", "allocation", /no free capacity/, /Wait and try again/],
    ["Azure limits requests", "throttled", /limits the subscription's requests/, /Wait/],
  ];
  for (const [what, fault, summary, hint] of refusals) {
    it(`can't be switched on if ${what}, with cause and remedy`, async () => {
      writeFileSync(join(bin, "power"), "deallocated");
      await failWith(fault, "start");
      await assert.rejects(start, (error: CliError) => {
        assert.match(error.summary, summary);
        assert.match(error.hint ?? "", hint);
        assert.match(error.details.join("\n"), /^ERROR: /);
        return true;
      });
      assert.equal(power(), "deallocated");
    });
  }

  it("can't be changed for a VM that was deleted in the portal", async () => {
    await failWith("vm-gone");
    await assert.rejects(stop, (error: CliError) => {
      assert.match(error.summary, /the VM doesn't exist any more/);
      assert.match(error.hint ?? "", /\.\/store down.*\.\/store up/);
      return true;
    });
  });

  it("can't be changed without a connection to Azure, which az reports as a bug of its own", async () => {
    writeFileSync(join(bin, "error.all"), AZ_OFFLINE);
    await assert.rejects(stop, (error: CliError) => {
      assert.match(error.summary, /az can't reach Azure/);
      assert.doesNotMatch(error.details.join("\n"), /File/);
      return true;
    });
  });

  it("can't be changed without the command az", async () => {
    env["PATH"] = join(bin, "none");
    await assert.rejects(stop, /the command az isn't installed/);
  });

  it("doesn't exist for a stack that isn't up, or that isn't in Azure", async () => {
    session = remoteSession(AZURE, {});
    await assert.rejects(start, /has no VM because it isn't up/);
    session = remoteSession({ "store:host": "local" }, {});
    await assert.rejects(stop, (error: CliError) => error.exitCode === ExitCode.Usage);
    session = remoteSession({ "store:host": "ssh" }, {});
    await assert.rejects(start, (error: CliError) => /\.\/store reboot/.test(error.hint ?? ""));
  });

  it("is left to Azure when the user interrupts the command, which says how to go on", async () => {
    writeFileSync(join(bin, "az"), AZ_THAT_HANGS, { mode: 0o755 });
    const listeners = process.listenerCount("SIGHUP");
    const running = stop();
    const interrupted = assert.rejects(running, (error: CliError) => {
      assert.equal(error.exitCode, ExitCode.Interrupted);
      assert.match(error.hint ?? "", /\.\/store stop.*\.\/store start/);
      return true;
    });
    // The command listens as soon as it changes something.
    while (process.listenerCount("SIGHUP") === listeners) await new Promise(setImmediate);
    process.emit("SIGHUP");
    await interrupted;
    assert.equal(process.listenerCount("SIGHUP"), listeners);
    assert.ok(!existsSync(stackLockFile(session.state, "dev")));
  });

  it("doesn't make a store answer that has a fault, which start reports with the boot log", async () => {
    const closed = new Gateway();
    await closed.start();
    session = remoteSession(AZURE, { vmId: IDS.machine, port: closed.port });
    await closed.stop();
    const checkpoint = readStackCheckpoint(session.state, "dev");
    const stopSignal = new AbortController().signal;
    const wait = { stack: "dev", checkpoint, report, stop: stopSignal, limitMs: 1, hint: "Log" };
    await assert.rejects(awaitStore(wait), (error: CliError) => {
      assert.match(error.summary, /http:\/\/127\.0\.0\.1:\d+ refuses connections/);
      assert.equal(error.hint, "See what runs: ./store ps\nLog");
      return true;
    });
  });

  describe("when it is off", () => {
    /** Connects to Docker on the host, as `up` does. Returns the error. */
    const connectionError = async (): Promise<CliError> => {
      let error: unknown;
      await withEnvironment(env, async () => {
        const checkpoint = readStackCheckpoint(session.state, "dev");
        error = await connectHostDocker(session, checkpoint).catch((one: unknown) => one);
      });
      assert.ok(error instanceof CliError);
      return error;
    };
    const TIMEOUT = 'error during connect: Get "http://docker/_ping": command exited with 255';
    const diagnosis = async (): Promise<CliError> => {
      let error: CliError | undefined;
      await withEnvironment(env, async () => {
        const events = failedStep("docker:index/container:Container", "orders-0", TIMEOUT);
        const run = { exitCode: 255, interrupted: false, events, stderr: "" };
        error = await diagnoseRun("preview", session, undefined, run);
      });
      assert.ok(error);
      return error;
    };

    it("is named by whatever can't reach Docker on the host", async () => {
      await stop();
      const error = await connectionError();
      assert.ok(error instanceof VmStopped);
      assert.equal(
        error.summary,
        "The stack dev is stopped: its VM is off. Start it: ./store start",
      );
    });

    it("is named by up and preview whose engine can't reach the host", async () => {
      await stop();
      const { summary, hint } = await diagnosis();
      assert.equal(summary, "Host unreachable: the VM is stopped.");
      assert.equal(hint, "Start it: ./store start\nThen: ./store preview");
    });

    it("is named by doctor", async () => {
      await stop();
      await withEnvironment(env, async () => {
        const results = await checkHost({ session } as CheckContext);
        assert.deepEqual(results, [
          {
            ...{ title: "Host", status: "failed", found: "the VM is stopped" },
            hint: "Start it: ./store start",
          },
        ]);
      });
    });

    it("is only suspected if Azure can't be asked", async () => {
      await failWith("login");
      const { summary, hint } = await connectionError();
      assert.match(summary, /Connection timed out/);
      assert.match(hint ?? "", /\nIf the VM is off: \.\/store start$/);
      await withEnvironment(env, async () => {
        const [result] = await checkHost({ session } as CheckContext);
        assert.match(result?.found ?? "", /^127\.0\.0\.1: .* over SSH: .*Connection timed out/);
        assert.match(result?.hint ?? "", /\.\/store ssh\nIf the VM is off: \.\/store start$/);
      });
      assert.match((await diagnosis()).hint ?? "", /If the VM is off .*: \.\/store start/);
    });

    it("isn't suspected of a VM that runs, whose boot log is named", async () => {
      const { hint } = await connectionError();
      assert.match(hint ?? "", /The VM runs\. .*get-boot-log --ids \/subscriptions\/.*\/vm$/);
      assert.match((await diagnosis()).summary, /^Host unreachable: no answer over SSH/);
    });
  });
});

/** SUBSTITUTE for az: the power of a VM in a file. It records its arguments, and fails with the text of error.SUBCOMMAND or error.all. */
const AZ = `#!/bin/sh
cd "$(dirname "$0")" && echo "$*" >> calls
for error in error.all "error.$2"; do
  [ -e "$error" ] && { cat "$error" >&2; exit 1; }
done
case "$2" in
  get-instance-view) echo ProvisioningState/succeeded; echo "PowerState/$(cat power)" ;;
  start) echo running > power ;;
  deallocate) echo deallocated > power ;;
esac
`;

/** The end of what az 2.91.0 prints without a connection. */
const AZ_OFFLINE = `ERROR: The command failed with an unexpected error. Here is the traceback:
Traceback (most recent call last):
  File "requests/adapters.py", line 729, in send
    raise ConnectionError(e, request=request)
requests.exceptions.ConnectionError: HTTPSConnectionPool(host='login.microsoftonline.com', port=443): Max retries exceeded (Failed to resolve 'login.microsoftonline.com')
To check existing issues, please visit: https://github.com/Azure/azure-cli/issues
`;

/** SUBSTITUTE for az: the VM runs, and its deallocation takes for ever. */
const AZ_THAT_HANGS = `#!/bin/sh
if [ "$2" = get-instance-view ]; then echo PowerState/running; else exec sleep 600; fi
`;
