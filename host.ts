import type { AzureHost } from "./components/host/azure";
import { Host } from "./components/host/host";
import { LocalHost } from "./components/host/local";
import type { SshHost } from "./components/host/sshHost";
import type { StoreConfig } from "./config";

/** The machine that the stack's configuration asks for. */
export function createHost({ host, dockerHost }: StoreConfig): Host {
  switch (host.kind) {
    case "local":
      return new LocalHost("local", { dockerHost });
    case "azure":
      return new (lazy.azure().AzureHost)("host", host.azure);
    case "ssh":
      return new (lazy.ssh().SshHost)("host", host.ssh);
  }
}

// Azure's part of the SDK takes a second to load, which a stack on this machine needn't wait for.
/* eslint-disable @typescript-eslint/no-require-imports */
const lazy = {
  azure: () => require("./components/host/azure") as { AzureHost: typeof AzureHost },
  ssh: () => require("./components/host/sshHost") as { SshHost: typeof SshHost },
};
/* eslint-enable @typescript-eslint/no-require-imports */
