import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import type { Session } from "@store/cli/project/session";
import { checkpointFile } from "@store/cli/state/state";
import { createSession } from "../diagnostics/failedRun";

/** A gateway at 127.0.0.1 that answers as a complete store does. */
export class Gateway {
  private readonly server: Server = createServer((_, response) =>
    response.end(JSON.stringify({ services: [] })),
  );

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
  }

  async stop(): Promise<void> {
    await new Promise((done) => this.server.close(done));
  }
}

/** Resources of a remote stack that is up. */
export interface RemoteResources {
  /** ID of the VM. @default none */
  readonly vmId?: string;
  /** IDs of the workers' VMs, by name. @default none */
  readonly workers?: Readonly<Record<string, string>>;
  /** Port of the gateway at 127.0.0.1. @default no gateway */
  readonly port?: number;
}

/** Creates the session of a stack with these values, and writes its state. */
export function remoteSession(
  config: Readonly<Record<string, unknown>>,
  { vmId, workers = {}, port }: RemoteResources,
): Session {
  const session = createSession(config);
  const resource = (type: string, name: string, more: object): object => ({
    ...{ type, urn: `urn:pulumi:dev::store::${type}::${name}` },
    ...more,
  });
  const host = "ssh://azureuser@127.0.0.1:22";
  const inputs = { hardwareProfile: { vmSize: "Standard_DS2_v2" } };
  const address = { inputs: { sku: { name: "Standard" } } };
  const ports = [{ internal: 8080, external: port, ip: "0.0.0.0" }];
  const resources = [
    ...Object.entries(workers).map(([name, id]) =>
      resource("azure-native:compute:VirtualMachine", name, { id, inputs }),
    ),
    ...(vmId === undefined
      ? []
      : [
          resource("azure-native:compute:VirtualMachine", "host", { id: vmId, inputs }),
          resource("azure-native:network:PublicIPAddress", "host", { id: "address", ...address }),
        ]),
    resource("pulumi:providers:docker", "host", { id: "docker", inputs: { host } }),
    resource("docker:index/container:Container", "orders-0", { id: "orders", inputs: {} }),
    ...(port === undefined
      ? []
      : [
          resource("docker:index/container:Container", "gateway", {
            ...{ id: "gateway", inputs: { ports } },
          }),
        ]),
  ];
  const file = checkpointFile(session.state, session.stack.name) ?? "";
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ checkpoint: { latest: { resources } } }));
  // The login's key, without which ssh files would be written from the state's secrets.
  const ssh = join(session.project.root, ".store/ssh/dev");
  mkdirSync(ssh, { recursive: true });
  writeFileSync(join(ssh, "identity"), "");
  return session;
}
