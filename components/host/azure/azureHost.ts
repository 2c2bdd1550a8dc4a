import type * as compute from "@pulumi/azure-native/compute";
import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import { AzureRegistry } from "../../registry/azure/azureRegistry";
import { RegistryAccess } from "../../registry/registry";
import { readWithoutComments, withArguments } from "../../shell/shell";
import { dependingOn, Swarm } from "../../swarm/swarm";
import { DataVolume, Host, HostAccess } from "../host";
import { remoteDocker, RemoteMachine } from "../ssh/remote";
import { SshAccess } from "../ssh/ssh";
import { AzureHostArgs, AzureScope } from "./azureHostArgs";
import { DATA_FOLDER } from "./cloudInit";
import { dataDisk } from "./dataDisk";
import { dnsRecords } from "./dnsRecords";
import { required } from "./existing";
import { hostNetwork, networkInterface, publicAddress } from "./network";
import { resourceGroup } from "./resourceGroup";
import { nightlyShutdown, virtualMachine } from "./virtualMachine";
import { vmMachine } from "./vmMachine";
import { type AzureWorker, workers } from "./workers";

/**
 * An Azure VM with Docker, or several in one subnet. Port 80 and, with HTTPS, port 443 of the first one are open to everybody, SSH is open to
 * {@link AzureHostArgs.adminCidrs}, and no other port is open.
 *
 * @see https://learn.microsoft.com/azure/virtual-machines/linux/using-cloud-init
 */
export class AzureHost extends pulumi.ComponentResource implements Host {
  readonly provider: docker.Provider;
  readonly commands: command.Provider;
  readonly bindAddress = "0.0.0.0";
  readonly address: pulumi.Output<string>;
  readonly access: pulumi.Output<HostAccess>;
  readonly sharesFiles = false;
  readonly platform = "linux/amd64";
  readonly registry: RegistryAccess;
  readonly childOptions: pulumi.ComponentResourceOptions;
  readonly nameRecords: readonly pulumi.Resource[];
  readonly swarm: Swarm | undefined;
  private readonly machine: RemoteMachine;
  private readonly dataDisk: compute.Disk;

  constructor(name: string, args: AzureHostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:AzureHost", name, {}, opts);

    const scope = resourceGroup(name, args, this);
    this.registry = registry(scope, args);
    const address = publicAddress(scope, args);
    const ipAddress = address.ipAddress.apply(required("The public IP address"));
    this.nameRecords = dnsRecords(scope, args, ipAddress);
    const network = hostNetwork(scope, args);
    const nic = networkInterface(scope, args, network, address);
    this.dataDisk = dataDisk(scope, args);
    const hostKey = sshKey(`${name}-host-key`, this);
    const loginKey = args.loginKey ?? sshKey(`${name}-login-key`, this);
    const vm = virtualMachine(scope, args, { hostKey, loginKey, nic, disk: this.dataDisk });
    if (args.shutdown) nightlyShutdown("shutdown", scope, args.shutdown, vm);
    const newKey = (name: string): ReturnType<typeof sshKey> => sshKey(name, this);
    const further = workers(scope, args, { network, loginKey, newKey });

    const ssh = {
      address: ipAddress,
      user: args.adminUser,
      privateKey: pulumi.secret(loginKey.private),
      hostKey: hostKey.public.apply((key) => key.trim()),
    };
    this.machine = vmMachine(name, args, { access: ssh, vm, folder: DATA_FOLDER, parent: this });
    this.swarm = swarm(this.machine, further, vm, this);
    const ready = this.swarm?.members ?? this.machine.ready;
    this.provider = remoteDocker(
      name,
      { access: ssh, ready, registry: this.registry },
      { parent: this, deletedWith: vm },
    );
    this.commands = args.providers.commands;
    this.childOptions = childOptions(vm, generation(name, args, vm, this), this.swarm);
    this.address = address.dnsSettings.apply((dns) => required<string>("The DNS name")(dns?.fqdn));
    this.access = hostAccess(ssh, vm, further);
    this.registerOutputs({ address: this.address });
  }

  run(
    name: string,
    script: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
    stdin?: pulumi.Input<string>,
  ): pulumi.CustomResource {
    return this.machine.run(name, script, opts, stdin);
  }

  dataVolume(service: string): DataVolume {
    return {
      args: {
        driver: "local",
        driverOpts: { type: "none", o: "bind", device: `${DATA_FOLDER}/${service}` },
      },
      // The data disk is protected instead.
      protect: false,
    };
  }

  dataFolders(services: readonly string[]): pulumi.Output<string> {
    const grow = readWithoutComments(__dirname, "growFileSystem.sh");
    // The disk's own output: Azure must have enlarged the disk before the file system can grow.
    return this.dataDisk.diskSizeGB.apply(required("The data disk's size")).apply((size) =>
      [
        `mountpoint -q ${DATA_FOLDER} || { echo "the data disk isn't mounted at ${DATA_FOLDER}" >&2; exit 1; }`,
        withArguments(grow, [DATA_FOLDER, String(size)]).trim(),
        // Writable for all, as in the PostgreSQL image: the ID of the database's user differs between images, and it creates its own folder.
        `sudo install -d -m 1777 ${services.map((service) => `${DATA_FOLDER}/${service}`).join(" ")}`,
      ].join("\n"),
    );
  }
}

function registry({ name, common, opts }: AzureScope, args: AzureHostArgs): RegistryAccess {
  if (!("tier" in args.registry)) return args.registry;
  const { parent, provider, deletedWith } = opts;
  return new AzureRegistry(
    `${name}-registry`,
    { ...args.registry, ...common, deletedWith, providers: args.providers },
    { parent, provider },
  ).access;
}

function sshKey(
  name: string,
  parent: pulumi.Resource,
): { readonly public: pulumi.Output<string>; readonly private: pulumi.Output<string> } {
  const key = new tls.PrivateKey(name, { algorithm: "ED25519" }, { parent });
  return { public: key.publicKeyOpenssh, private: key.privateKeyOpenssh };
}

/**
 * Creates a resource that is deleted with the VM, also if another VM takes its place: the engine applies `deletedWith` to what is deleted after
 * the replacements, but a VM is deleted before its replacement. The docker provider fails for a Swarm service or secret that is gone.
 *
 * @see https://github.com/pulumi/pulumi/blob/pkg/v3.256.0/pkg/resource/deploy/step_generator.go (GenerateDeletes)
 */
function generation(
  name: string,
  { providers }: AzureHostArgs,
  vm: compute.VirtualMachine,
  parent: pulumi.Resource,
): pulumi.Resource {
  return new random.RandomString(
    `${name}-generation`,
    { length: 8 },
    { parent, provider: providers.random, replacementTrigger: vm.vmId },
  );
}

/**
 * Options for the resources deployed on the VM. They are deleted together with the VM, without a connection to it, and created again
 * on the next VM.
 */
function childOptions(
  vm: compute.VirtualMachine,
  ofVm: pulumi.Resource,
  ofSwarm: Swarm | undefined,
): pulumi.ComponentResourceOptions {
  return {
    transformations: [
      ...(ofSwarm ? [dependingOn(ofSwarm)] : []),
      ({ type, props, opts }) =>
        type.startsWith("docker:")
          ? { props, opts: { ...opts, deletedWith: ofVm, replacementTrigger: vm.vmId } }
          : undefined,
    ],
  };
}

function hostAccess(
  ssh: SshAccess,
  vm: compute.VirtualMachine,
  further: readonly AzureWorker[],
): pulumi.Output<HostAccess> {
  const accesses = pulumi.all(further.map(({ access }) => access));
  return pulumi
    .all([ssh.address, ssh.privateKey, ssh.hostKey, vm.name, accesses])
    .apply(([address, privateKey, hostKey, name, workers]): HostAccess => ({
      kind: "azure",
      name,
      address,
      port: 22,
      user: ssh.user,
      privateKey,
      hostKey,
      ...(workers.length > 0 && { workers }),
    }));
}

/** Connects the VMs by Docker Swarm; returns undefined for one VM. */
function swarm(
  manager: RemoteMachine,
  workers: readonly AzureWorker[],
  vm: compute.VirtualMachine,
  parent: pulumi.Resource,
): Swarm | undefined {
  if (workers.length === 0) return undefined;
  const liveRestoreOff = manager.run(
    "swarm-live-restore",
    liveRestore("false"),
    { parent, dependsOn: [manager.ready] },
    undefined,
    { onDelete: liveRestore("true") },
  );
  return new Swarm(
    "swarm",
    { manager, workers, after: [liveRestoreOff], generation: vm.vmId },
    { parent },
  );
}

/** cloud-init has switched it on, and a change of its configuration would replace the VM. */
function liveRestore(value: string): string {
  return withArguments(readWithoutComments(__dirname, "liveRestore.sh"), [value]);
}
