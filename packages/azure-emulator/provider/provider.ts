import { randomBytes } from "node:crypto";
import { ArmError } from "../arm/armError";
import { typeOf } from "../arm/catalogue";
import { checkShape, Problem } from "../arm/check";
import { Cloud, SUBSCRIPTION, TENANT } from "../arm/cloud";
import { idOf, Resource, ResourceType } from "../arm/resourceType";
import { resourceFields } from "../arm/schema";
import { differences, given, hasUnknowns, Properties, same, textAt } from "../arm/values";

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

  /** Validates inputs, and adds a generated name and the default location where they are missing. */
  check(
    token: string,
    urn: string,
    before: Properties,
    after: Properties,
  ): { inputs: Properties; problems: Problem[] } {
    const type = typeOf(token);
    const asked = given(after);
    const inputs = {
      ...asked,
      ...this.nameFor(type, urn, before, asked),
      ...this.locationFor(type, asked),
    };
    const [, module = "", resource = ""] = token.split(":");
    return { inputs, problems: checkShape(inputs, resourceFields(module, resource)) };
  }

  /** Plans like the published provider: a replacement only for a change of path or location, even where ARM will reject an update. */
  diff(
    token: string,
    before: Properties,
    after: Properties,
  ): { changed: string[]; replacing: string[] } {
    const type = typeOf(token);
    const changed = differences(given(before), given(after));
    const fixed = [...type.path, ...(type.located ? ["location"] : []), ...(type.replacedOn ?? [])];
    return { changed, replacing: changed.filter((path) => fixed.includes(path)) };
  }

  async create(
    token: string,
    properties: Properties,
    stop: AbortSignal,
  ): Promise<{ id: string; outputs: Properties }> {
    const resource = await this.cloud.create(token, given(properties), stop);
    return { id: resource.id, outputs: outputsOf(resource) };
  }

  async update(token: string, properties: Properties, stop: AbortSignal): Promise<Properties> {
    return outputsOf(await this.cloud.update(token, given(properties), stop));
  }

  /** Returns undefined if the resource doesn't exist. Without inputs, the request is an import or a `get`. */
  read(
    id: string,
    token: string,
    inputs: Properties,
  ): { inputs: Properties; outputs: Properties } | undefined {
    const resource = this.cloud.get(id);
    if (resource?.token !== token) return undefined;
    const there = given(resource.properties);
    const known = given(inputs);
    const drifted = same(known, there);
    return {
      inputs: drifted && Object.keys(known).length > 0 ? known : there,
      outputs: outputsOf(resource),
    };
  }

  remove(id: string, stop: AbortSignal): Promise<void> {
    return this.cloud.remove(id, stop);
  }

  invoke(token: string): Properties {
    if (token === "azure-native:authorization:getClientConfig") {
      return {
        clientId: "00000000-0000-4000-8000-00000c11e472",
        objectId: "00000000-0000-4000-8000-0000000b7ec7",
        subscriptionId: SUBSCRIPTION,
        tenantId: TENANT,
      };
    }
    throw new Error(`The Azure emulator doesn't support the function ${token}.`);
  }

  /** Returns the outputs known in a preview: the inputs. */
  preview(properties: Properties): Properties {
    return given(properties);
  }

  private nameFor(
    type: ResourceType,
    urn: string,
    before: Properties,
    after: Properties,
  ): Properties {
    const property = type.path.at(-1) ?? "";
    if (after[property] !== undefined) return {};
    const old = before[property];
    if (old !== undefined) return { [property]: old };
    const logical = urn.slice(urn.lastIndexOf("::") + 2);
    return { [property]: `${logical}${randomBytes(4).toString("hex")}` };
  }

  private locationFor(type: ResourceType, after: Properties): Properties {
    if (!type.located || after["location"] !== undefined) return {};
    const group = typeOf("azure-native:resources:ResourceGroup");
    const there = hasUnknowns(after["resourceGroupName"])
      ? undefined
      : this.cloud.get(idOf(group, SUBSCRIPTION, after));
    const location = this.location || textAt(there?.properties, "location");
    return location === "" ? {} : { location };
  }
}

/** Returns the outputs as the published provider stores them: the inputs and the properties that Azure adds. */
function outputsOf(resource: Resource): Properties {
  return { ...resource.properties, ...resource.computed, azureApiVersion: "rehearsal" };
}

const CONFIGURATION = [
  "auxiliaryTenantIds",
  "clientCertificatePassword",
  "clientCertificatePath",
  "clientId",
  "clientSecret",
  "disableInstanceDiscovery",
  "disablePulumiPartnerId",
  "environment",
  "location",
  "metadataHost",
  "msiEndpoint",
  "oidcRequestToken",
  "oidcRequestUrl",
  "oidcToken",
  "oidcTokenFilePath",
  "partnerId",
  "subscriptionId",
  "tenantId",
  "useDefaultAzureCredential",
  "useMsi",
  "useOidc",
  "version",
  "pluginDownloadURL",
];
