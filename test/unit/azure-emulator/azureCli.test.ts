import assert from "node:assert/strict";
import { AzureCli, serveCli } from "@store/azure-emulator/azureCli/azureCli";
import { AzureAccounts } from "@store/azure-emulator/registry/accounts";
import { run } from "@store/toolchain/system/run";
import { join } from "node:path";
import { IDS, TestCloud } from "./fixture";

const AZ = join(__dirname, "../../../packages/azure-emulator/azureCli/az");
const STATUSES = ["--query", "instanceView.statuses[].code", "--output", "tsv"];

describe("The emulated az", () => {
  let test: TestCloud;
  let cli: AzureCli;
  beforeEach(async () => {
    test = new TestCloud();
    cli = new AzureCli(test.cloud, new AzureAccounts(), () => test.faults);
    await test.all();
  });
  afterEach(() => test.dispose());

  const vm = (command: string, id: string = IDS.machine): ReturnType<AzureCli["run"]> =>
    cli.run(["vm", command, "--ids", id, ...(command === "get-instance-view" ? STATUSES : [])]);
  const statuses = async (): Promise<string> => (await vm("get-instance-view")).stdout;

  it("deallocates the VM and starts it again, each also twice", async () => {
    assert.equal(await statuses(), "ProvisioningState/succeeded\nPowerState/running\n");
    for (const command of ["deallocate", "deallocate"]) {
      assert.deepEqual(await vm(command), { code: 0, stdout: "", stderr: "" });
    }
    assert.match(await statuses(), /^PowerState\/deallocated$/m);
    await vm("start");
    await vm("start");
    assert.match(await statuses(), /^PowerState\/running$/m);
  });

  it("takes as long as Azure for it", async () => {
    const waits: number[] = [];
    const { cloud } = test;
    const clock = Reflect.get(cloud, "clock") as { sleep(ms: number): Promise<void> };
    Reflect.set(cloud, "clock", {
      ...clock,
      sleep: (ms: number) => {
        waits.push(ms);
        return Promise.resolve();
      },
    });
    await vm("deallocate");
    assert.deepEqual(waits, [45_000]);
  });

  it("shows the only subscription, and none without a login", async () => {
    const show = () => cli.run(["account", "show", "--output", "json"]);
    const account = JSON.parse((await show()).stdout) as { id: string; state: string };
    assert.deepEqual([account.id, account.state], [test.cloud.subscription, "Enabled"]);
    test.faults = ["login"];
    assert.match((await show()).stderr, /^ERROR: Please run 'az login'/);
  });

  const refused: readonly [what: string, args: readonly string[], error: RegExp][] = [
    [
      "an unknown VM",
      ["vm", "start", "--ids", IDS.machine.replace(/vm$/, "other")],
      /^ERROR: \(ResourceNotFound\) The Resource 'Microsoft\.Compute\/virtualMachines\/other' under resource group 'store' was not found/,
    ],
    ["another resource", ["vm", "start", "--ids", IDS.disk], /invalid resource ID/],
    [
      "a VM of another subscription",
      [
        ...["vm", "deallocate", "--ids"],
        IDS.machine.replace(/subscriptions\/[^/]+/, "subscriptions/1"),
      ],
      /^ERROR: Subscription '1' not found\. Check the spelling/,
    ],
    ["another query", ["vm", "get-instance-view", "--ids", IDS.machine], /supports only --query/],
    ["another subcommand", ["vm", "delete", "--ids", IDS.machine], /has no 'vm delete'/],
    ["another command", ["group", "delete", "--name", "store"], /has no 'group delete'/],
  ];
  for (const [what, args, error] of refused) {
    it(`refuses ${what}`, async () => {
      const { code, stderr } = await cli.run(args);
      assert.equal(code, 1);
      assert.match(stderr, error);
      assert.match(await statuses(), /running/);
    });
  }

  it("refuses everything without a login, and a start for which Azure has no hardware", async () => {
    await vm("deallocate");
    test.faults = ["login"];
    assert.match((await vm("start")).stderr, /^ERROR: Please run 'az login'/);
    test.faults = ["allocation"];
    assert.match((await vm("start")).stderr, /^ERROR: \(AllocationFailed\) .*\nCode: Alloc/s);
    assert.match(await statuses(), /deallocated/);
  });

  it("is a program that sends its arguments to the emulator, and says that it is a substitute", async () => {
    const env = { STORE_REHEARSAL_AZ: await serveCli(cli) };
    const shown = await run(AZ, ["vm", "get-instance-view", "--ids", IDS.machine, ...STATUSES], {
      env,
    });
    assert.deepEqual([shown.code, shown.stdout], [0, await statuses()]);
    const failed = await run(AZ, ["vm", "start", "--ids", "nonsense"], { env });
    assert.deepEqual([failed.code, failed.stderr], [1, "ERROR: invalid resource ID: nonsense\n"]);
  });
});
