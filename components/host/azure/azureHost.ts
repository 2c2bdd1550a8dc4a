import * as compute from "@pulumi/azure-native/compute";
import * as devtestlab from "@pulumi/azure-native/devtestlab";
import * as network from "@pulumi/azure-native/network";
import { Provider } from "@pulumi/azure-native/provider";
import * as resources from "@pulumi/azure-native/resources";
import type * as types from "@pulumi/azure-native/types";
import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import { AzureRegistry } from "../../registry/azure/azureRegistry";
import { AzureRegistryTier, RegistryAccess } from "../../registry/registry";
import { cloudInit, DATA_FOLDER, DockerSource } from "./cloudInit";
import { CommonProviders, DataVolume, Host, HostAccess } from "../host";
import { readWithoutComments } from "../../shell/shell";
import { RemoteDocker } from "../ssh/remote";

export interface AzureHostArgs {
  readonly providers: CommonProviders;
  /** @default the subscription of the login */
  readonly subscriptionId?: string;
  /** Region, for example "australiaeast". */
  readonly location: string;
  /** Size of the VM, for example "Standard_DS2_v2". */
  readonly vmSize: string;
  /** Image of the VM as "publisher:offer:sku:version". Another one makes another VM. */
  readonly vmImage: string;
  readonly adminUser: string;
  /** Address ranges in CIDR notation from which SSH is possible. At least one. */
  readonly adminCidrs: readonly string[];
  /** Range of the VM's own network in CIDR notation, for example "10.20.0.0/16". */
  readonly addressRange: string;
  /** First part of the DNS name, unique in the region. @default the stack's name with a random ending */
  readonly dnsLabel?: string;
  /** Key pair with which to log in, in OpenSSH's format. @default one that this makes */
  readonly loginKey?: { readonly public: string; readonly private: pulumi.Input<string> };
  /** GiB of the disk for the databases' data, which outlives the VM. */
  readonly dataDiskGiB: number;
  readonly docker: { readonly source: DockerSource; readonly version?: string };
  /** Minutes within which a new VM must be a Docker host. */
  readonly readyMinutes: number;
  /** When the VM is switched off each night, "HHMM" in the time zone. @default never */
  readonly shutdown?: { readonly time: string; readonly timeZone: string };
  /** Secure boot and a virtual TPM. Not every size has it. @default false */
  readonly trustedLaunch?: boolean;
  /** Encryption of disks and caches on the VM's own machine. The subscription must have the feature. @default false */
  readonly encryptionAtHost?: boolean;
  /** On everything, beside the project and the stack. */
  readonly owner: string;
  /** The registry from which it pulls, or of which tier the stack is to make one in Azure. */
  readonly registry: RegistryAccess | { readonly tier: AzureRegistryTier };
}

/**
 * An Azure VM with Docker on it. Ports 80 and 443 are open to everybody, SSH to the administrators' addresses, and nothing else.
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
  readonly residents: pulumi.ComponentResourceOptions;
  private readonly docker: RemoteDocker;

  constructor(name: string, args: AzureHostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:AzureHost", name, {}, opts);
    const { location, adminUser } = args;
    const tags = { project: pulumi.getProject(), stack: pulumi.getStack(), owner: args.owner };
    const provider = new Provider(
      `${name}-azure`,
      { location, subscriptionId: args.subscriptionId },
      { parent: this },
    );
    const group = new resources.ResourceGroup(name, { location, tags }, { parent: this, provider });
    // What Azure deletes with the group needn't be deleted one by one.
    const inGroup = { parent: this, provider, deletedWith: group };
    const of = { resourceGroupName: group.name, location, tags };

    this.registry =
      "tier" in args.registry
        ? new AzureRegistry(
            `${name}-registry`,
            { ...args.registry, group, location, tags, providers: args.providers },
            { parent: this, provider },
          ).access
        : args.registry;
    const address = publicAddress(name, of, args, inGroup);
    const nic = networkInterface(name, of, args, address, inGroup);
    // What is on it is the only thing here that can't be made again.
    const disk = new compute.Disk(
      `${name}-data`,
      {
        ...of,
        creationData: { createOption: "Empty" },
        diskSizeGB: args.dataDiskGiB,
        sku: { name: "StandardSSD_LRS" },
      },
      { ...inGroup, protect: true },
    );

    const hostKey = new tls.PrivateKey(
      `${name}-host-key`,
      { algorithm: "ED25519" },
      { parent: this },
    );
    const login = args.loginKey ?? loginKey(name, { parent: this });
    const vm = new compute.VirtualMachine(
      name,
      {
        ...of,
        hardwareProfile: { vmSize: args.vmSize },
        osProfile: {
          computerName: `${pulumi.getProject()}-${pulumi.getStack()}`.slice(0, 60),
          adminUsername: adminUser,
          customData: pulumi
            .all([hostKey.privateKeyOpenssh, hostKey.publicKeyOpenssh])
            .apply(([privateKey, publicKey]) =>
              base64(
                cloudInit({
                  adminUser,
                  distribution: /ubuntu/i.test(args.vmImage) ? "ubuntu" : "debian",
                  hostKey: { private: privateKey, public: publicKey.trim() },
                  docker: args.docker.source,
                  dockerVersion: args.docker.version,
                  dataDevice: DATA_DEVICE,
                }),
              ),
            ),
          linuxConfiguration: {
            disablePasswordAuthentication: true,
            ssh: {
              publicKeys: [
                {
                  path: `/home/${adminUser}/.ssh/authorized_keys`,
                  keyData: pulumi.output(login.public).apply((key) => key.trim()),
                },
              ],
            },
          },
        },
        storageProfile: {
          imageReference: imageReference(args.vmImage),
          osDisk: {
            createOption: "FromImage",
            deleteOption: "Delete",
            managedDisk: { storageAccountType: "StandardSSD_LRS" },
          },
          dataDisks: [
            {
              lun: 0,
              createOption: "Attach",
              managedDisk: { id: disk.id },
              deleteOption: "Detach",
            },
          ],
        },
        networkProfile: {
          networkInterfaces: [{ id: nic.id, primary: true, deleteOption: "Detach" }],
        },
        diagnosticsProfile: { bootDiagnostics: { enabled: true } },
        securityProfile: securityProfile(args),
      },
      {
        ...inGroup,
        // What Azure refuses to change with a 409, although its provider plans an update.
        replaceOnChanges: [
          "osProfile",
          "storageProfile.imageReference",
          "storageProfile.osDisk",
          "securityProfile.securityType",
        ],
        // Two can't have the address, the network interface and the disk.
        deleteBeforeReplace: true,
        additionalSecretOutputs: ["osProfile"],
        customTimeouts: { create: "20m", delete: "20m" },
      },
    );
    if (args.shutdown) nightlyShutdown(args.shutdown, vm, of, inGroup);

    const ssh = {
      address: address.ipAddress.apply(required("The public IP address")),
      user: adminUser,
      privateKey: pulumi.secret(login.private),
      hostKey: hostKey.publicKeyOpenssh.apply((key) => key.trim()),
    };
    // The address stays when the VM is replaced, so that nothing but this says that all on it is gone.
    const machine = vm.vmId;
    this.docker = new RemoteDocker(
      name,
      {
        access: ssh,
        commands: args.providers.commands,
        ready: readWithoutComments(__dirname, "cloudInitReady.sh"),
        machine,
        readyMinutes: args.readyMinutes,
        registry: this.registry,
      },
      { parent: this, deletedWith: vm },
    );
    this.residents = residentsOf(vm, machine);
    this.provider = this.docker.provider;
    this.commands = args.providers.commands;
    this.address = address.dnsSettings.apply((dns) => required("The DNS name")(dns?.fqdn));
    this.access = pulumi
      .all([ssh.address, ssh.privateKey, ssh.hostKey, vm.name])
      .apply(([ip, privateKey, publicHostKey, machineName]): HostAccess => ({
        kind: "azure",
        name: machineName,
        address: ip,
        port: 22,
        user: adminUser,
        privateKey,
        hostKey: publicHostKey,
      }));
    this.registerOutputs({ address: this.address });
  }

  run(
    name: string,
    script: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
    stdin?: pulumi.Input<string>,
  ): pulumi.CustomResource {
    return this.docker.run(name, script, opts, stdin);
  }

  dataVolume(service: string): DataVolume {
    return {
      args: {
        driver: "local",
        driverOpts: { type: "none", o: "bind", device: `${DATA_FOLDER}/${service}` },
      },
      // The disk is what is protected.
      protect: false,
    };
  }

  dataFolders(services: readonly string[]): string {
    return [
      `mountpoint -q ${DATA_FOLDER} || { echo "the data disk isn't mounted at ${DATA_FOLDER}" >&2; exit 1; }`,
      // As the database's user, who is the same in every release of its image.
      `sudo install -d -m 700 -o 999 -g 999 ${services.map((service) => `${DATA_FOLDER}/${service}`).join(" ")}`,
    ].join("\n");
  }
}

/** Where Azure's agent links the disk at LUN 0. */
const DATA_DEVICE = "/dev/disk/azure/scsi1/lun0";

interface InGroup {
  readonly resourceGroupName: pulumi.Output<string>;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Standard, since Basic ones were retired in 2025; static, so that it stays when the VM is replaced. */
function publicAddress(
  name: string,
  of: InGroup,
  { dnsLabel, providers }: AzureHostArgs,
  opts: pulumi.CustomResourceOptions,
): network.PublicIPAddress {
  const ending =
    dnsLabel === undefined &&
    // Not RandomBytes, which are a secret, and so would be the address of the store.
    new random.RandomString(
      `${name}-dns`,
      { length: 8, upper: false, special: false },
      { parent: opts.parent, provider: providers.random },
    );
  return new network.PublicIPAddress(
    name,
    {
      ...of,
      sku: { name: "Standard", tier: "Regional" },
      publicIPAddressVersion: "IPv4",
      publicIPAllocationMethod: "Static",
      dnsSettings: {
        domainNameLabel: ending
          ? pulumi.interpolate`${pulumi.getProject()}-${pulumi.getStack()}-${ending.result}`.apply(
              (label) => label.toLowerCase().replaceAll(/[^a-z0-9-]/g, "-"),
            )
          : dnsLabel,
      },
    },
    opts,
  );
}

function networkInterface(
  name: string,
  of: InGroup,
  { adminCidrs, addressRange }: AzureHostArgs,
  address: network.PublicIPAddress,
  opts: pulumi.CustomResourceOptions,
): network.NetworkInterface {
  const wall = new network.NetworkSecurityGroup(
    name,
    { ...of, securityRules: securityRules(adminCidrs) },
    opts,
  );
  const net = new network.VirtualNetwork(
    name,
    { ...of, addressSpace: { addressPrefixes: [addressRange] } },
    // The subnet is a resource of its own; what Azure reports of it here is no change.
    { ...opts, ignoreChanges: ["subnets"] },
  );
  const subnet = new network.Subnet(
    name,
    {
      resourceGroupName: of.resourceGroupName,
      virtualNetworkName: net.name,
      // All of it: nobody else is to be in there.
      addressPrefix: addressRange,
      networkSecurityGroup: { id: wall.id },
      // The VM has an address of its own to go out by.
      defaultOutboundAccess: false,
    },
    opts,
  );
  return new network.NetworkInterface(
    name,
    {
      ...of,
      ipConfigurations: [
        {
          name: "primary",
          subnet: { id: subnet.id },
          privateIPAllocationMethod: "Dynamic",
          publicIPAddress: { id: address.id },
        },
      ],
    },
    opts,
  );
}

/** What comes in. Azure's own last rule refuses the rest. */
export function securityRules(
  adminCidrs: readonly string[],
): types.input.network.SecurityRuleArgs[] {
  const rule = (
    name: string,
    priority: number,
    port: string,
    from: readonly string[],
  ): types.input.network.SecurityRuleArgs => ({
    name,
    priority,
    direction: "Inbound",
    access: "Allow",
    protocol: "Tcp",
    sourceAddressPrefixes: [...from],
    sourcePortRange: "*",
    destinationAddressPrefix: "*",
    destinationPortRange: port,
  });
  return [
    rule("http", 100, "80", ["0.0.0.0/0"]),
    rule("https", 110, "443", ["0.0.0.0/0"]),
    rule("ssh", 120, "22", adminCidrs),
  ];
}

function loginKey(
  name: string,
  opts: pulumi.CustomResourceOptions,
): { readonly public: pulumi.Output<string>; readonly private: pulumi.Output<string> } {
  const key = new tls.PrivateKey(`${name}-login-key`, { algorithm: "ED25519" }, opts);
  return { public: key.publicKeyOpenssh, private: key.privateKeyOpenssh };
}

/** @param image "publisher:offer:sku:version", which config.ts has checked. */
function imageReference(image: string): {
  publisher?: string;
  offer?: string;
  sku?: string;
  version?: string;
} {
  const [publisher, offer, sku, version] = image.split(":");
  return { publisher, offer, sku, version };
}

function securityProfile({
  trustedLaunch,
  encryptionAtHost,
}: AzureHostArgs): compute.VirtualMachineArgs["securityProfile"] {
  if (!trustedLaunch && !encryptionAtHost) return undefined;
  return {
    ...(encryptionAtHost && { encryptionAtHost }),
    ...(trustedLaunch && {
      securityType: "TrustedLaunch",
      uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
    }),
  };
}

/** Switched off, a VM costs nothing but its disks. Azure knows the schedule by this name only. */
function nightlyShutdown(
  { time, timeZone }: { readonly time: string; readonly timeZone: string },
  vm: compute.VirtualMachine,
  of: InGroup,
  opts: pulumi.CustomResourceOptions,
): void {
  new devtestlab.GlobalSchedule(
    "shutdown",
    {
      ...of,
      name: pulumi.interpolate`shutdown-computevm-${vm.name}`,
      status: "Enabled",
      taskType: "ComputeVmShutdownTask",
      targetResourceId: vm.id,
      dailyRecurrence: { time },
      timeZoneId: timeZone,
    },
    { ...opts, deletedWith: vm },
  );
}

/**
 * For whoever lives on a machine that can be deleted and made again: it goes with the machine, which needs no connection to it,
 * and is made again on the next one.
 */
function residentsOf(
  machine: pulumi.Resource,
  id: pulumi.Output<string>,
): pulumi.ComponentResourceOptions {
  return {
    transformations: [
      ({ type, props, opts }) =>
        type.startsWith("docker:")
          ? { props, opts: { ...opts, deletedWith: machine, replacementTrigger: id } }
          : undefined,
    ],
  };
}

function base64(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length > CUSTOM_DATA_LIMIT) {
    throw new pulumi.RunError(
      `The VM's customData has ${bytes.length} bytes, and Azure takes ${CUSTOM_DATA_LIMIT} at most.`,
    );
  }
  return bytes.toString("base64");
}

const CUSTOM_DATA_LIMIT = 65_535;

function required(what: string): (value: string | undefined) => string {
  return (value) => {
    if (value === undefined) throw new pulumi.RunError(`${what} is missing in Azure's answer.`);
    return value;
  };
}
