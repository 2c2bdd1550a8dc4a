import { randomBytes } from "node:crypto";
import { ArmError, FailedOperation } from "../arm/armError";
import { typeOf } from "../arm/catalogue";
import { checkShape, Problem } from "../arm/check";
import { Cloud, SUBSCRIPTION, TENANT } from "../arm/cloud";
import { idOf, Resource, ResourceType } from "../arm/resourceType";
import { apiVersionOf, outputFields, partsOf, resourceFields } from "../arm/schema";
import { ZONE } from "../arm/types/dns";
import { NETWORK } from "../arm/types/network/common";
import { GROUP } from "../arm/types/resources";
import { given, hasUnknowns, Properties, textAt, without } from "../arm/values";
import { Change, changesBetween } from "./changes";
import { CONFIGURATION } from "./configuration";
import { driftedInputs } from "./drift";
import { outputsOf } from "./outputs";
import { PartialFailure } from "./partialFailure";
import { declared, previewed } from "./shapes";

/** The emulated provider azure-native. For the wire format, see server.ts. */
export class Provider {
  /** Default location from the provider's configuration. */
  private location = "";

  constructor(
    private readonly cloud: Cloud,
    private readonly faults: () => readonly string[],
  ) {}

  /** Returns an error for each unknown key. */
  checkConfig(config: Properties): Problem[] {
    const unknown = Object.keys(config).filter((name) => !CONFIGURATION.includes(name));
    return unknown.map((path) => ({
      path,
      reason: `is not a configuration key of azure-native; the keys are: ${CONFIGURATION.join(", ")}`,
      kind: "unknown" as const,
    }));
  }

  configure(config: Properties): void {
    const faults = this.faults();
    if (faults.includes("login")) {
      throw new Error(
        "error building Azure client: please run `az login` to log in to Azure, or set the credentials of a service " +
          "principal (ARM_CLIENT_ID, ARM_CLIENT_SECRET, ARM_TENANT_ID, ARM_SUBSCRIPTION_ID)",
      );
    }
    const subscription = textAt(config, "subscriptionId") || SUBSCRIPTION;
    if (subscription !== SUBSCRIPTION || faults.includes("subscription")) {
      throw new ArmError(
        404,
        "SubscriptionNotFound",
        `The subscription '${subscription}' could not be found. This login has: ${SUBSCRIPTION}.`,
      );
    }
    this.location = textAt(config, "location");
  }

  /**
   * Validates inputs as the published provider does, which overlooks unknown names. Adds what is missing: a generated name, the default
   * location and the API version.
   */
  check(
    token: string,
    urn: string,
    before: Properties,
    after: Properties,
  ): { inputs: Properties; problems: Problem[] } {
    const type = typeOf(token);
    const asked = given(after);
    const inputs = {
      azureApiVersion: apiVersionOf(token),
      ...asked,
      ...nameFor(type, urn, before, asked),
      ...this.locationFor(type, before, asked),
    };
    const problems = checkShape(inputs, resourceFields(...partsOf(token)));
    return { inputs, problems: problems.filter(({ kind }) => kind !== "unknown") };
  }

  /** Plans like the published provider: a replacement only for what it knows, even where ARM will reject an update. */
  diff(
    token: string,
    before: Properties,
    after: Properties,
  ): { changes: Change[]; deleteBeforeReplace: boolean } {
    const type = typeOf(token);
    const replacedOn = [
      ...type.path,
      ...(type.located ? ["location"] : []),
      ...(type.replacedOn ?? []),
    ];
    const changes = changesBetween(given(before), given(after), replacedOn);
    return {
      changes: changes.filter(({ path }) => path !== CREATE_BEFORE_DELETE),
      // A generated name differs from that of the replacement, so both can exist for a while.
      deleteBeforeReplace:
        changes.some(({ replaces }) => replaces) && before[CREATE_BEFORE_DELETE] !== true,
    };
  }

  /** @throws PartialFailure if ARM accepted the request, and the creation failed later. */
  async create(
    token: string,
    properties: Properties,
    stop: AbortSignal,
  ): Promise<{ id: string; outputs: Properties }> {
    const request = requestOf(token, properties);
    const resource = await this.keepPartial(properties, () =>
      this.cloud.create(token, request, stop),
    );
    return { id: resource.id, outputs: outputsOf(resource, this.cloud) };
  }

  /** @throws PartialFailure if ARM accepted the request, and the update failed later. */
  async update(token: string, properties: Properties, stop: AbortSignal): Promise<Properties> {
    const request = requestOf(token, properties);
    const resource = await this.keepPartial(properties, () =>
      this.cloud.update(token, request, stop),
    );
    return outputsOf(resource, this.cloud);
  }

  /**
   * Reads a resource and its drift. Returns undefined if the resource doesn't exist.
   *
   * @param inputs Inputs in the state. Empty for an import or a `get`.
   * @param before Outputs in the state.
   */
  read(
    id: string,
    token: string,
    inputs: Properties,
    before: Properties,
  ): { inputs: Properties; outputs: Properties } | undefined {
    const resource = this.cloud.get(id);
    if (resource?.token !== token) return undefined;
    const type = typeOf(token);
    const fields = resourceFields(...partsOf(token));
    const outputs = outputsOf(resource, this.cloud);
    const known = given(inputs);
    if (Object.keys(known).length === 0) {
      const path = Object.fromEntries(type.path.map((name) => [name, resource.properties[name]]));
      return { inputs: { ...path, ...declared(outputs, fields) }, outputs };
    }
    const unset = (type.subResources ?? []).filter((name) => known[name] === undefined);
    const now = unset.reduce(without, declared(outputs, fields));
    return { inputs: driftedInputs(known, declared(given(before), fields), now), outputs };
  }

  remove(id: string, stop: AbortSignal): Promise<void> {
    return this.cloud.remove(id, stop);
  }

  /** Calls a function, of which those that read a resource report a missing one as an error. */
  invoke(token: string, args: Properties): Properties {
    if (token === "azure-native:authorization:getClientConfig") {
      return {
        clientId: "00000000-0000-4000-8000-00000c11e472",
        objectId: "00000000-0000-4000-8000-0000000b7ec7",
        subscriptionId: SUBSCRIPTION,
        tenantId: TENANT,
      };
    }
    const read = READING.get(token);
    if (read === undefined)
      throw new Error(`The Azure emulator doesn't support the function ${token}.`);
    const id = idOf(typeOf(read), SUBSCRIPTION, args);
    const resource = this.cloud.get(id);
    if (resource !== undefined) return { id: resource.id, ...outputsOf(resource, this.cloud) };
    throw new ArmError(
      404,
      read === GROUP ? "ResourceGroupNotFound" : "ResourceNotFound",
      read === GROUP
        ? `Resource group '${textAt(args, "resourceGroupName")}' could not be found.`
        : `The Resource '${id}' was not found.`,
    );
  }

  /**
   * Returns the outputs in a preview. Most are unknown, also of an existing resource.
   *
   * @param before Outputs in the state. Empty for a creation.
   */
  preview(token: string, properties: Properties, before: Properties): Properties {
    const { name, location } = before;
    return {
      ...previewed(given(properties), outputFields(...partsOf(token))),
      ...given({ name, location }),
    };
  }

  private async keepPartial(
    inputs: Properties,
    action: () => Promise<Resource>,
  ): Promise<Resource> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof FailedOperation)) throw error;
      throw new PartialFailure(error, inputs, outputsOf(error.resource, this.cloud));
    }
  }

  private locationFor(type: ResourceType, before: Properties, after: Properties): Properties {
    if (!type.located || after["location"] !== undefined) return {};
    const group = typeOf(GROUP);
    const there = hasUnknowns(after["resourceGroupName"])
      ? undefined
      : this.cloud.get(idOf(group, SUBSCRIPTION, after));
    const location =
      textAt(before, "location") || this.location || textAt(there?.properties, "location");
    return location === "" ? {} : { location };
  }
}

/** Functions that read a resource, with its type. */
const READING: ReadonlyMap<string, string> = new Map([
  ["azure-native:resources:getResourceGroup", GROUP],
  ["azure-native:network:getVirtualNetwork", NETWORK],
  ["azure-native:dns:getZone", ZONE],
]);

/** Input with which the published provider remembers that it has generated the resource's name. */
export const CREATE_BEFORE_DELETE = "__createBeforeDelete";

function nameFor(
  type: ResourceType,
  urn: string,
  before: Properties,
  after: Properties,
): Properties {
  const property = type.path.at(-1) ?? "";
  if (after[property] !== undefined) return {};
  const old = before[property];
  const logical = urn.slice(urn.lastIndexOf("::") + 2);
  const isGenerated = old === undefined || before[CREATE_BEFORE_DELETE] === true;
  return {
    [property]: old ?? `${logical}${randomBytes(4).toString("hex")}`,
    ...(isGenerated && { [CREATE_BEFORE_DELETE]: true }),
  };
}

/** Returns the request for ARM, to which the published provider converts only the inputs that it knows. */
function requestOf(token: string, properties: Properties): Properties {
  return declared(given(properties), resourceFields(...partsOf(typeOf(token).token)));
}
