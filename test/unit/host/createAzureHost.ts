import type * as pulumi from "@pulumi/pulumi";
import type { AzureHost } from "../../../components/host/azure/azureHost";
import type { AzureHostArgs } from "../../../components/host/azure/azureHostArgs";
import { commonProviders } from "./commonProviders";

/** Arguments of a host in tests that every test may change. */
const DEFAULTS: Omit<AzureHostArgs, "providers" | "registry"> = {
  location: "australiaeast",
  vmSize: "Standard_DS2_v2",
  vmImage: "Debian:debian-12:12-gen2:latest",
  adminUser: "azureuser",
  adminCidrs: ["203.0.113.7/32"],
  addressRange: "10.20.0.0/16",
  dataDiskGiB: 32,
  docker: { source: "docker" },
  readyMinutes: 15,
  owner: "store-team",
};

/** Registry and shutdown schedule that belong to the stack, so that a host has each kind of Azure's resources. */
export const OWN_REGISTRY_AND_SCHEDULE = {
  registry: { tier: "Basic" },
  shutdown: { time: "1900", timeZone: "AUS Eastern Standard Time" },
} as const satisfies Partial<AzureHostArgs>;

/**
 * Creates an AzureHost.
 *
 * @param options Gets the options of each resource by "TYPE::NAME", and of the last registered resource of each type by the type.
 */
export function createAzureHost(
  args: Partial<AzureHostArgs> & Pick<AzureHostArgs, "registry">,
  options: Map<string, pulumi.CustomResourceOptions>,
): AzureHost {
  // Loaded on demand: the Azure SDK takes a second to load.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { AzureHost: Host } = require("../../../components/host/azure/azureHost") as {
    AzureHost: typeof AzureHost;
  };
  const remember: pulumi.ResourceTransformation = ({ type, name, opts }) => {
    options.set(type, opts).set(`${type}::${name}`, opts);
    return undefined;
  };
  return new Host(
    "host",
    { ...DEFAULTS, providers: commonProviders(), ...args },
    { transformations: [remember] },
  );
}
