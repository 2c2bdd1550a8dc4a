import * as pulumi from "@pulumi/pulumi";
import type { Worker } from "../../swarm/swarm";
import type { WorkerAccess } from "../host";
import type { AzureHostArgs, AzureScope } from "./azureHostArgs";
import { required } from "./existing";
import { type HostNetwork, networkInterface, workerAddress, workerSecurityGroup } from "./network";
import { type KeyPair, nightlyShutdown, virtualMachine } from "./virtualMachine";
import { vmMachine } from "./vmMachine";
import { workerName } from "./vmNames";

export interface AzureWorker extends Worker {
  readonly access: pulumi.Output<WorkerAccess>;
}

export interface WorkerParts {
  readonly network: HostNetwork;
  /** Key pair of the administrator of all VMs. */
  readonly loginKey: KeyPair;
  /** Creates the SSH host key of a VM. */
  readonly newKey: (name: string) => {
    readonly public: pulumi.Output<string>;
    readonly private: pulumi.Output<string>;
  };
}

/** Creates the VMs that run the services: in the host's subnet, with an address for SSH and the way out, and without a data disk. */
export function workers(scope: AzureScope, args: AzureHostArgs, parts: WorkerParts): AzureWorker[] {
  const count = (args.hosts ?? 1) - 1;
  if (count === 0) return [];
  const securityGroup = workerSecurityGroup(scope, args, parts.network);
  const network = { ...parts.network, securityGroup };
  return Array.from({ length: count }, (_, i) => worker(scope, args, i + 1, { ...parts, network }));
}

function worker(
  hostScope: AzureScope,
  args: AzureHostArgs,
  number: number,
  { network, loginKey, newKey }: WorkerParts,
): AzureWorker {
  const name = workerName(number);
  const scope = { ...hostScope, name };
  const address = workerAddress(scope);
  const nic = networkInterface(scope, args, network, address);
  const hostKey = newKey(`${name}-host-key`);
  const vm = virtualMachine(scope, args, { hostKey, loginKey, nic, worker: number });
  if (args.shutdown) nightlyShutdown(`shutdown-${name}`, scope, args.shutdown, vm);

  const ipAddress = address.ipAddress.apply(required("The public IP address of a worker"));
  const publicKey = hostKey.public.apply((key) => key.trim());
  const user = args.adminUser;
  return {
    name,
    machine: vmMachine(name, args, {
      // Without a data disk: the root is always mounted.
      ...{ vm, folder: "/", parent: scope.opts.parent },
      access: {
        ...{ address: ipAddress, user, hostKey: publicKey },
        privateKey: pulumi.secret(loginKey.private),
      },
    }),
    access: pulumi
      .all([ipAddress, publicKey])
      .apply(([address, hostKey]) => ({ name, address, port: 22, user, hostKey })),
  };
}
