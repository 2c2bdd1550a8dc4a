import * as pulumi from "@pulumi/pulumi";
import assert from "node:assert/strict";
import { isList, isObject, Properties, textAt, Value } from "@store/azure-emulator/arm/values";
import { Provider } from "@store/azure-emulator/provider/provider";
import type { AzureHostArgs } from "../../../components/host/azure/azureHostArgs";
import { KEY, TestCloud } from "../azure-emulator/fixture";
import { createAzureHost, OWN_REGISTRY_AND_SCHEDULE } from "./createAzureHost";

/** A resource that the program has created in the emulated Azure. */
export interface AzureResource {
  readonly token: string;
  /** Inputs as the program sent them. */
  readonly request: Properties;
  /** Inputs of the unchanged program with the provider's additions. */
  readonly checked: Properties;
  /** Inputs and outputs as the engine's state has them. */
  readonly inputs: Properties;
  readonly outputs: Properties;
  readonly id: string;
}

/** A change that the engine plans. */
interface PlannedChange {
  readonly token: string;
  readonly path: string;
  readonly replaces: boolean;
}

const NEVER = new AbortController().signal;
/** Number of resources of an AzureHost with a registry and a shutdown schedule. */
const COUNT = 12;

const ARGS = {
  ...OWN_REGISTRY_AND_SCHEDULE,
  adminCidrs: ["203.0.113.7/32", "198.51.100.0/24"],
} satisfies Partial<AzureHostArgs>;

/** Pulumi's mocks with the emulated Azure Resource Manager in place of Azure. */
export class EmulatedAzure {
  readonly test = new TestCloud();
  readonly provider = new Provider(this.test.cloud, () => this.test.faults);
  readonly resources: AzureResource[] = [];
  /** Options of the program's resources, by type. */
  readonly options = new Map<string, pulumi.CustomResourceOptions>();
  private readonly refusals: string[] = [];

  /** Replaces the mocks of this process. */
  async use(): Promise<void> {
    await pulumi.runtime.setMocks(
      {
        newResource: ({ type, name, inputs, id }) =>
          this.created(type, name, unwrapped(inputs as Value) as Properties, id),
        call: ({ token, inputs }) =>
          token.startsWith("azure-native:")
            ? this.provider.invoke(token, inputs as Properties)
            : (inputs as Record<string, unknown>),
      },
      "store",
      "test",
      false,
    );
  }

  /**
   * Creates a host with all kinds of resources.
   *
   * @param count Number of resources in Azure. Defaults to that of a host without options.
   * @throws an error if Azure refuses one
   */
  async deploy(args: Partial<AzureHostArgs>, count: number = COUNT): Promise<void> {
    createAzureHost({ ...ARGS, ...args }, this.options);
    while (this.resources.length < count && this.refusals.length === 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(this.refusals, []);
  }

  /**
   * Refreshes all resources, and returns what an `up` of the unchanged program then changes. Like the engine, overlooks what is in
   * `ignoreChanges`, and replaces what is in `replaceOnChanges`.
   */
  planned(): PlannedChange[] {
    return this.resources.flatMap((resource, i) => {
      const { token, id, inputs, outputs, checked } = resource;
      const read = this.provider.read(id, token, inputs, outputs);
      if (read === undefined) throw new Error(`${id} is gone.`);
      this.resources[i] = { ...resource, ...read };
      const { ignoreChanges = [], replaceOnChanges = [] } = this.options.get(token) ?? {};
      return this.provider
        .diff(token, read.inputs, checked)
        .changes.filter(({ path }) => !isWithin(path, ignoreChanges))
        .map(({ path, replaces }) => ({
          token,
          path,
          replaces: replaces || isWithin(path, replaceOnChanges),
        }));
    });
  }

  private async created(
    type: string,
    name: string,
    request: Properties,
    id: string | undefined,
  ): Promise<{ id: string; state: Properties }> {
    if (!type.startsWith("azure-native:"))
      return { id: id ?? `${name}-id`, state: { ...request, ...outputsOf(type) } };
    try {
      const urn = `urn:pulumi:test::store::${type}::${name}`;
      const { inputs, problems } = this.provider.check(type, urn, {}, request);
      this.refusals.push(...problems.map(({ path, reason }) => `${type} ${path} ${reason}`));
      const made = await this.provider.create(type, inputs, NEVER);
      this.resources.push({ token: type, request, checked: inputs, inputs, ...made });
      return { id: made.id, state: { ...made.outputs } };
    } catch (error) {
      this.refusals.push(`${type}: ${String(error)}`);
      return { id: name, state: request };
    }
  }
}

/** Returns whether a path is one of these, or within one of these, in which [*] is any element of a list. */
function isWithin(path: string, paths: readonly string[]): boolean {
  const anyElement = path.replaceAll(/\[\d+\]/g, "[*]");
  return [path, anyElement].some((one) =>
    paths.some(
      (outer) => one === outer || one.startsWith(`${outer}.`) || one.startsWith(`${outer}[`),
    ),
  );
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
