import * as command from "@pulumi/command";
import type * as random from "@pulumi/random";
import type { AzureHost } from "./azure/azureHost";
import { Host } from "./host";
import { LocalHost } from "./localHost";
import type { SshHost } from "./ssh/sshHost";
import type { StoreConfig } from "../../config/config";

/** The machine that the stack's configuration asks for. */
export function createHost({ host, dockerHost }: StoreConfig, random: random.Provider): Host {
  if (host.kind === "local") return new LocalHost("local", { dockerHost });

  const providers = { random, commands: new command.Provider("commands") };
  return host.kind === "azure"
    ? new (lazy.azure().AzureHost)("host", { ...host.azure, providers })
    : new (lazy.ssh().SshHost)("host", { ...host.ssh, providers });
}

// Azure's part of the SDK takes a second to load, which a stack on this machine needn't wait for.
/* eslint-disable @typescript-eslint/no-require-imports */
const lazy = {
  azure: () => require("./azure/azureHost") as { AzureHost: typeof AzureHost },
  ssh: () => require("./ssh/sshHost") as { SshHost: typeof SshHost },
};
/* eslint-enable @typescript-eslint/no-require-imports */
