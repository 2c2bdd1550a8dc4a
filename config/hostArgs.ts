import * as pulumi from "@pulumi/pulumi";
import type { DockerEndpoint } from "@store/docker/endpoint";
import type { HostArgs } from "../components/host/createHost";
import type { RegistryAccess } from "../components/registry/registry";
import { ConfigValues } from "./schema";

/** Arguments of the host component. The values have passed all rules. */
export function hostArgs(
  values: ConfigValues,
  docker: Pick<DockerEndpoint, "host" | "certPath">,
): HostArgs {
  const kind = values.host;
  switch (kind) {
    case "local":
      return { kind, dockerHost: docker.host, certPath: docker.certPath };
    case "azure":
      return { kind, ...azureHostArgs(values) };
    case "ssh":
      return {
        kind,
        address: values.sshAddress,
        port: values.sshPort,
        user: values.sshUser,
        hostKey: values.sshHostKey,
        privateKey: pulumi.secret(values.sshPrivateKey),
        readyMinutes: values.readyMinutes,
        registry: registryAccess(values.registry),
      };
  }
}

function azureHostArgs(values: ConfigValues): Omit<Extract<HostArgs, { kind: "azure" }>, "kind"> {
  const { location, vmSize, vmImage, adminUser, adminCidrs, addressRange, dataDiskGiB } = values;
  const { readyMinutes, trustedLaunch, encryptionAtHost, owner } = values;
  const registry = registryAccess(values.registry) ?? azureRegistryTier(values.azureRegistry);
  return {
    ...{ location, vmSize, vmImage, adminUser, adminCidrs, addressRange, dataDiskGiB },
    ...{ readyMinutes, trustedLaunch, encryptionAtHost, owner, registry },
    subscriptionId: values.subscriptionId || undefined,
    dnsLabel: values.dnsLabel || undefined,
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

function registryAccess(registry: ConfigValues["registry"]): RegistryAccess | undefined {
  if (registry.address === "") return undefined;
  const login = { username: registry.username, password: pulumi.secret(registry.password) };
  return {
    address: registry.address,
    namespace: registry.namespace.replace(/\/$/, ""),
    push: login,
    pull: login,
  };
}
