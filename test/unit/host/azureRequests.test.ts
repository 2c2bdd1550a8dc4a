import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { checkShape, checkWords, Problem } from "@store/azure-emulator/arm/check";
import { partsOf, resourceFields } from "@store/azure-emulator/arm/schema";
import { isList, isObject, Properties, textAt, Value } from "@store/azure-emulator/arm/values";
import { Provider } from "@store/azure-emulator/provider/provider";
import type { AzureHost } from "../../../components/host/azure/azureHost";
import type { AzureHostArgs } from "../../../components/host/azure/azureHostArgs";
import { KEY, TestCloud } from "../azure-emulator/fixture";
import { commonProviders } from "./commonProviders";
import { mockedInOwnFolder } from "./mockedFolder";

/** A request that the program sends to Azure. */
interface Request {
  readonly token: string;
  readonly body: Properties;
}

const DEBIAN_13 = "Debian:debian-13:13-gen2:latest";
const NEVER = new AbortController().signal;

/**
 * The program's requests against two descriptions: the types in azure-native, which are generated from Microsoft's specifications of the
 * API versions that it sends, and the rules of the emulated Azure Resource Manager.
 */
describe("The requests of an AzureHost", () => {
  let test: TestCloud;
  let provider: Provider;
  let requests: Request[];
  let refusals: string[];

  mockedInOwnFolder();
  before(() =>
    pulumi.runtime.setMocks(
      {
        newResource: ({ type, name, inputs, id }) =>
          created(type, name, unwrapped(inputs as Value) as Properties, id),
        call: ({ inputs }) => inputs as Record<string, unknown>,
      },
      "store",
      "test",
      false,
    ),
  );
  beforeEach(() => {
    test = new TestCloud();
    provider = new Provider(test.cloud, () => test.faults);
    requests = [];
    refusals = [];
  });
  afterEach(() => test.dispose());

  async function created(
    type: string,
    name: string,
    inputs: Properties,
    id: string | undefined,
  ): Promise<{ id: string; state: Properties }> {
    if (!type.startsWith("azure-native:"))
      return { id: id ?? `${name}-id`, state: { ...inputs, ...outputsOf(type) } };
    requests.push({ token: type, body: inputs });
    try {
      const checked = provider.check(type, `urn:pulumi:x::store::${type}::${name}`, {}, inputs);
      refusals.push(...checked.problems.map(({ path, reason }) => `${type} ${path} ${reason}`));
      const { id: made, outputs } = await provider.create(type, checked.inputs, NEVER);
      return { id: made, state: { ...outputs } };
    } catch (error) {
      refusals.push(`${type}: ${String(error)}`);
      return { id: name, state: inputs };
    }
  }

  /** Creates a host, and waits until Azure has everything. */
  async function deploy(args: Partial<AzureHostArgs>, count: number): Promise<void> {
    // Loaded on demand: the Azure SDK takes a second to load.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const { AzureHost: Host } = require("../../../components/host/azure/azureHost") as {
      AzureHost: typeof AzureHost;
    };
    new Host("host", { ...ARGS, providers: commonProviders(), ...args });
    while (requests.length < count && refusals.length === 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
    // The last request is answered after a turn of the event loop.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(refusals, []);
  }

  const ARGS: Omit<AzureHostArgs, "providers"> = {
    location: "australiaeast",
    vmSize: "Standard_DS2_v2",
    vmImage: "Debian:debian-12:12-gen2:latest",
    adminUser: "azureuser",
    adminCidrs: ["203.0.113.7/32", "198.51.100.0/24"],
    addressRange: "10.20.0.0/16",
    dataDiskGiB: 32,
    docker: { source: "docker" },
    readyMinutes: 15,
    owner: "store-team",
    registry: { tier: "Basic" },
    shutdown: { time: "1900", timeZone: "AUS Eastern Standard Time" },
  };

  it("have the names, types and values of Microsoft's descriptions", async () => {
    await deploy({}, 12);
    assert.equal(new Set(requests.map(({ token }) => token)).size, 12);
    assert.deepEqual(requests.flatMap(problemsOf), []);
  });

  const variants: readonly [what: string, Partial<AzureHostArgs>][] = [
    ["Trusted Launch", { trustedLaunch: true }],
    ["encryption at host", { encryptionAtHost: true }],
    ["a size without accelerated networking", { vmSize: "Standard_B2ms" }],
    ["a size without a temporary disk", { vmSize: "Standard_D2as_v5" }],
    ["a burstable size of the second generation", { vmSize: "Standard_B2as_v2" }],
    ["Debian 13 on a size with NVMe disks", { vmSize: "Standard_D2s_v6", vmImage: DEBIAN_13 }],
  ];
  for (const [what, args] of variants) {
    it(`are accepted with ${what}`, async () => {
      await deploy(args, 12);
      assert.deepEqual(requests.flatMap(problemsOf), []);
    });
  }

  it("would be refused with a wrong name, type or value", () => {
    const problems = (body: Properties): string[] =>
      problemsOf({ token: "azure-native:compute:Disk", body });
    const good = { resourceGroupName: "g", creationData: { createOption: "Empty" } };
    assert.deepEqual(problems(good), []);
    assert.equal(problems({ ...good, diskSizeGb: 32 }).length, 1);
    assert.equal(problems({ ...good, diskSizeGB: "32" }).length, 1);
    assert.equal(problems({ ...good, creationData: { createOption: "empty" } }).length, 1);
    assert.equal(problems({ resourceGroupName: "g" }).length, 1);
  });
});

/** Returns what a request has against the declared types. Unlike ARM, compares the values of enums with their case. */
function problemsOf({ token, body }: Request): string[] {
  const fields = resourceFields(...partsOf(token));
  const wrong = checkWords(body, fields, ["hardwareProfile.vmSize"], { exactCase: true });
  const problems: Problem[] = [
    ...checkShape(body, fields),
    ...(wrong === undefined ? [] : [wrong]),
  ];
  return problems.map(({ path, reason }) => `${token} ${path} ${reason}`);
}

/** Returns a value without the envelopes of secrets and outputs. */
function unwrapped(value: Value | undefined): Value | undefined {
  if (isList(value)) return value.map((inner) => unwrapped(inner) ?? null);
  if (!isObject(value)) return value;
  if (textAt(value, SIGNATURE) !== "") return unwrapped(value["value"]);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, unwrapped(inner)]));
}

/** Key that marks a special value in the engine's wire format. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** Returns the outputs of other providers that Azure's rules concern. */
function outputsOf(type: string): Properties {
  if (type === "tls:index/privateKey:PrivateKey")
    return { publicKeyOpenssh: `${KEY}\n`, privateKeyOpenssh: "private" };
  if (type === "random:index/randomString:RandomString") return { result: "0a1b2c3d4e5f" };
  return {};
}
