import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { RegistryAccess } from "../../registry/registry";
import { CommonProviders, DataVolume, Host, HostAccess, type WorkerAccess } from "../host";
import { readMachineScript, readWithoutComments, withArguments } from "../../shell/shell";
import { dependingOn, Swarm, type Worker } from "../../swarm/swarm";
import { remoteDocker, RemoteMachine, type RemoteMachineArgs } from "./remote";
import { SSHD_LIMITS } from "./ssh";

export interface SshHostArgs {
  readonly providers: Pick<CommonProviders, "commands">;
  /** DNS name or IP address of the machine. */
  readonly address: string;
  /** Port of sshd. Defaults to 22. */
  readonly port?: number;
  /** User with full rights: root, or a user with passwordless sudo. */
  readonly user: string;
  /** Private key of the user. A secret. */
  readonly privateKey: pulumi.Input<string>;
  /** Public host key of the machine, such as "ssh-ed25519 AAAA…". A machine with another host key is refused. */
  readonly hostKey: string;
  /** Minutes within which the machine must answer SSH and be a Docker host; the `up` fails otherwise. */
  readonly readyMinutes: number;
  /** Registry from which the machine pulls images. Defaults to none. Required with workers. */
  readonly registry?: RegistryAccess;
  /** Further machines, which run the services. This machine keeps the gateway and the databases. Defaults to none. */
  readonly workers?: readonly WorkerAccess[];
}

/**
 * Any machine with an SSH server. If Docker is missing, the package docker.io is installed (Debian and Ubuntu only). The limits of
 * sshd are raised for the number of connections that the program opens.
 */
export class SshHost extends pulumi.ComponentResource implements Host {
  readonly provider: docker.Provider;
  readonly commands: command.Provider;
  readonly bindAddress = "0.0.0.0";
  readonly address: string;
  readonly access: pulumi.Output<HostAccess>;
  readonly sharesFiles = false;
  readonly platform = "linux/amd64";
  readonly registry: RegistryAccess | undefined;
  readonly childOptions: pulumi.ComponentResourceOptions;
  readonly swarm: Swarm | undefined;
  private readonly machine: RemoteMachine;
  private readonly workers: readonly Worker[];

  constructor(name: string, args: SshHostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:SshHost", name, {}, opts);
    const { address, port = 22, user, hostKey } = args;
    const privateKey = pulumi.secret(args.privateKey);
    const { readyMinutes, providers, workers = [] } = args;
    const options = { parent: this };
    const machineArgs = (access: WorkerAccess): RemoteMachineArgs => ({
      access: { ...access, privateKey },
      commands: providers.commands,
      ready: INSTALL_DOCKER,
      machine: access.address,
      readyMinutes,
    });

    const ownArgs = machineArgs({ address, port, user, hostKey });
    this.machine = new RemoteMachine(name, ownArgs, options);
    this.workers = workers.map((worker) => ({
      name: worker.address,
      machine: new RemoteMachine(`worker-${worker.address}`, machineArgs(worker), options),
    }));
    this.swarm =
      workers.length === 0
        ? undefined
        : new Swarm("swarm", { manager: this.machine, workers: this.workers }, options);
    this.childOptions = this.swarm ? { transformations: [dependingOn(this.swarm)] } : {};
    this.provider = remoteDocker(
      name,
      {
        access: { ...ownArgs.access, workers },
        ready: this.swarm?.members ?? this.machine.ready,
        registry: args.registry,
      },
      options,
    );
    this.commands = args.providers.commands;
    this.registry = args.registry;
    this.address = address;
    this.access = privateKey.apply((key): HostAccess => ({
      kind: "ssh",
      name: address,
      address,
      port,
      user,
      privateKey: key,
      hostKey,
      ...(workers.length > 0 && { workers }),
    }));
    this.registerOutputs({ address });
  }

  run(
    name: string,
    script: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
    stdin?: pulumi.Input<string>,
  ): pulumi.CustomResource {
    return this.machine.run(name, script, opts, stdin);
  }

  closePortsTo(
    networks: readonly pulumi.Input<string>[],
    opts: pulumi.CustomResourceOptions,
  ): void {
    const script = pulumi
      .all([...networks])
      .apply((ids) => withArguments(CLOSE_PORTS_SCRIPT, [FIREWALL_UNIT, ...ids]));
    this.machine.run("firewall", script, opts);
    // Instances with a way out have it by a bridge of the machine on which they run. Docker creates it when the machine joins.
    const joined = this.swarm ? [this.swarm.members] : [];
    for (const { name, machine } of this.workers)
      machine.run(
        `firewall-${name}`,
        withArguments(CLOSE_PORTS_SCRIPT, [FIREWALL_UNIT, "docker_gwbridge"]),
        { ...opts, dependsOn: joined },
      );
  }

  dataVolume(): DataVolume {
    return { args: {}, protect: true };
  }
}

const CLOSE_PORTS_SCRIPT = readMachineScript(__dirname, "closePorts.sh");
const FIREWALL_UNIT = readWithoutComments(__dirname, "store-firewall@.service");

const INSTALL_DOCKER = withArguments(readMachineScript(__dirname, "installDocker.sh"), [
  SSHD_LIMITS,
]);
