import * as pulumi from "@pulumi/pulumi";
import type { DockerEndpoint } from "@store/docker/endpoint";
import type { UserLogin } from "@store/docker/registryLogin";
import type { HostArgs } from "../components/host/createHost";
import type { Login, RegistryAccess } from "../components/registry/registry";
import { dnsZoneArgs } from "./https/dnsZone";
import { storeNames } from "./https/domainNames";
import { ConfigValues } from "./schema";

/**
 * Arguments of the host component. The values have passed all rules.
 *
 * @param hosts Names of services that answer for certain hosts.
 */
export function hostArgs(
  values: ConfigValues,
  docker: Pick<DockerEndpoint, "host" | "certPath">,
  logins: readonly UserLogin[],
  hosts: readonly string[],
): HostArgs {
  const kind = values.host;
  switch (kind) {
    case "local":
      return { kind, dockerHost: docker.host, certPath: docker.certPath, logins };
    case "azure":
      return { kind, ...azureHostArgs(values, logins, hosts) };
    case "ssh":
      return {
        kind,
        address: values.sshAddress,
        port: values.sshPort,
        user: values.sshUser,
        hostKey: values.sshHostKey,
        privateKey: pulumi.secret(values.sshPrivateKey),
        readyMinutes: values.readyMinutes,
        registry: registryAccess(values.registry, logins),
        workers: values.workers.map(({ user = values.sshUser, ...worker }) => ({
          ...worker,
          user,
        })),
      };
  }
}

function azureHostArgs(
  values: ConfigValues,
  logins: readonly UserLogin[],
  hosts: readonly string[],
): Omit<Extract<HostArgs, { kind: "azure" }>, "kind"> {
  const { location, vmSize, vmImage, adminUser, adminCidrs, addressRange, dataDiskGiB } = values;
  const { readyMinutes, trustedLaunch, encryptionAtHost, owner, tags } = values;
  const { hosts: count, dataDiskLock, diskSnapshots } = values;
  const registry =
    registryAccess(values.registry, logins) ?? azureRegistryTier(values.azureRegistry);
  return {
    ...{ location, vmSize, vmImage, adminUser, adminCidrs, addressRange, dataDiskGiB },
    ...{ readyMinutes, trustedLaunch, encryptionAtHost, owner, tags, registry },
    ...{ hosts: count, dataDiskLock, diskSnapshots },
    https: storeNames(values).length > 0,
    subscriptionId: values.subscriptionId || undefined,
    resourceGroup: values.resourceGroup || undefined,
    subnetId: values.subnetId || undefined,
    dnsLabel: values.dnsLabel || undefined,
    dnsZone: dnsZoneArgs(values, hosts),
    loginKey:
      values.sshPublicKey === ""
        ? undefined
        : { public: values.sshPublicKey.trim(), private: pulumi.secret(values.sshPrivateKey) },
    docker: { source: values.dockerSource, version: values.dockerVersion || undefined },
    shutdown:
      values.shutdownTime === ""
        ? undefined
        : { time: values.shutdownTime, timeZone: values.shutdownTimeZone },
  };
}

function azureRegistryTier(tier: ConfigValues["azureRegistry"]) {
  if (tier === "") throw new Error("The rules allowed a VM in Azure without a registry.");
  return { tier };
}

function registryAccess(
  registry: ConfigValues["registry"],
  logins: readonly UserLogin[],
): RegistryAccess | undefined {
  if (registry.address === "") return undefined;
  const common = {
    address: registry.address,
    namespace: registry.namespace.replace(/\/$/, ""),
  };
  const push = loginOf(registry.username, registry.password);
  const pull = loginOf(registry.pullUsername, registry.pullPassword) ?? push ?? logins[0];
  return { ...common, push: push ?? "user", pull };
}

/** Returns undefined for the user's own login. */
function loginOf(username: string, password: string): Login | undefined {
  return username === "" ? undefined : { username, password: pulumi.secret(password) };
}
