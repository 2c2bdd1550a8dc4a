import * as command from "@pulumi/command";
import type * as random from "@pulumi/random";
import type { AzureHost } from "./azure/azureHost";
import type { AzureHostArgs } from "./azure/azureHostArgs";
import { Host } from "./host";
import { LocalHost, LocalHostArgs } from "./localHost";
import type { SshHost, SshHostArgs } from "./ssh/sshHost";

/** Arguments of the host component, by the kind of host. */
export type HostArgs =
  | ({ readonly kind: "local" } & LocalHostArgs)
  | ({ readonly kind: "azure" } & Omit<AzureHostArgs, "providers">)
  | ({ readonly kind: "ssh" } & Omit<SshHostArgs, "providers">);

/**
 * Creates the host that the store runs on.
 *
 * @param random Provider of the passwords, which a host shares with the rest of the stack.
 */
export function createHost(args: HostArgs, random: random.Provider): Host {
  if (args.kind === "local") return new LocalHost("local", args);

  const providers = { random, commands: new command.Provider("commands") };
  return args.kind === "azure"
    ? new (lazy.azure().AzureHost)("host", { ...args, providers })
    : new (lazy.ssh().SshHost)("host", { ...args, providers });
}

// Loaded on demand: the Azure SDK takes a second to load, which a stack on this machine doesn't need.
/* eslint-disable @typescript-eslint/no-require-imports */
const lazy = {
  azure: () => require("./azure/azureHost") as { AzureHost: typeof AzureHost },
  ssh: () => require("./ssh/sshHost") as { SshHost: typeof SshHost },
};
/* eslint-enable @typescript-eslint/no-require-imports */
