import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cloud } from "@store/azure-emulator/arm/cloud";
import { Resource } from "@store/azure-emulator/arm/resourceType";
import { Hardware } from "@store/azure-emulator/arm/state/hardware";
import { isList, Properties, Value } from "@store/azure-emulator/arm/values";

export const KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDZhiFbyBnwLz+RijjsgsolBLNTv3oyDLNFSL/IDLkpE";

const group = "/subscriptions/00000000-0000-4000-8000-0000000c10d5/resourceGroups/store";
const place = { resourceGroupName: "store", location: "australiaeast" };

export const IDS = {
  group,
  network: `${group}/providers/Microsoft.Network/virtualNetworks/net`,
  subnet: `${group}/providers/Microsoft.Network/virtualNetworks/net/subnets/subnet`,
  securityGroup: `${group}/providers/Microsoft.Network/networkSecurityGroups/securityGroup`,
  address: `${group}/providers/Microsoft.Network/publicIPAddresses/address`,
  nic: `${group}/providers/Microsoft.Network/networkInterfaces/nic`,
  disk: `${group}/providers/Microsoft.Compute/disks/data`,
  machine: `${group}/providers/Microsoft.Compute/virtualMachines/vm`,
};

/** Resources of the staging stack, in the order of their dependencies. */
export const STAGING = {
  group: ["azure-native:resources:ResourceGroup", { ...place, tags: { owner: "me" } }],
  network: [
    "azure-native:network:VirtualNetwork",
    { ...place, virtualNetworkName: "net", addressSpace: { addressPrefixes: ["10.20.0.0/16"] } },
  ],
  securityGroup: [
    "azure-native:network:NetworkSecurityGroup",
    {
      ...place,
      networkSecurityGroupName: "securityGroup",
      securityRules: [
        rule("http", 100, ["0.0.0.0/0"], "80"),
        rule("ssh", 200, ["127.0.0.1/32"], "22"),
      ],
    },
  ],
  subnet: [
    "azure-native:network:Subnet",
    {
      resourceGroupName: "store",
      virtualNetworkName: "net",
      subnetName: "subnet",
      addressPrefix: "10.20.1.0/24",
      networkSecurityGroup: { id: IDS.securityGroup },
      defaultOutboundAccess: false,
    },
  ],
  address: [
    "azure-native:network:PublicIPAddress",
    {
      ...place,
      publicIpAddressName: "address",
      sku: { name: "Standard", tier: "Regional" },
      publicIPAllocationMethod: "Static",
      dnsSettings: { domainNameLabel: "store-test" },
    },
  ],
  nic: [
    "azure-native:network:NetworkInterface",
    {
      ...place,
      networkInterfaceName: "nic",
      ipConfigurations: [
        {
          name: "main",
          subnet: { id: IDS.subnet },
          privateIPAllocationMethod: "Dynamic",
          publicIPAddress: { id: IDS.address },
        },
      ],
    },
  ],
  disk: [
    "azure-native:compute:Disk",
    { ...place, diskName: "data", creationData: { createOption: "Empty" }, diskSizeGB: 32 },
  ],
  machine: [
    "azure-native:compute:VirtualMachine",
    {
      ...place,
      vmName: "vm",
      hardwareProfile: { vmSize: "Standard_DS2_v2" },
      osProfile: {
        computerName: "store",
        adminUsername: "azureuser",
        customData: Buffer.from("#cloud-config\n{}\n").toString("base64"),
        linuxConfiguration: {
          disablePasswordAuthentication: true,
          ssh: { publicKeys: [{ path: "/home/azureuser/.ssh/authorized_keys", keyData: KEY }] },
        },
      },
      storageProfile: {
        imageReference: {
          publisher: "Debian",
          offer: "debian-12",
          sku: "12-gen2",
          version: "latest",
        },
        osDisk: { createOption: "FromImage", deleteOption: "Delete" },
        dataDisks: [
          { lun: 0, createOption: "Attach", managedDisk: { id: IDS.disk }, deleteOption: "Detach" },
        ],
      },
      networkProfile: {
        networkInterfaces: [{ id: IDS.nic, primary: true, deleteOption: "Detach" }],
      },
    },
  ],
} as const satisfies Record<string, readonly [string, Properties]>;

export type Part = keyof typeof STAGING;

export function rule(name: string, priority: number, from: string[], port: string): Properties {
  return {
    name,
    priority,
    direction: "Inbound",
    access: "Allow",
    protocol: "Tcp",
    sourceAddressPrefixes: from,
    sourcePortRange: "*",
    destinationAddressPrefix: "*",
    destinationPortRange: port,
  };
}

/** Returns the properties with another value at a path such as "sku.name"; undefined removes the property. */
export function changed(
  properties: Properties,
  path: string,
  value: Value | undefined,
): Properties {
  return change(properties, path.split("."), value) as Properties;
}

function change(
  inner: Value | undefined,
  [step = "", ...rest]: string[],
  value: Value | undefined,
): Value {
  if (isList(inner)) {
    return inner.map((one, i) =>
      i === Number(step) ? (rest.length > 0 ? change(one, rest, value) : (value ?? null)) : one,
    );
  }
  const object = typeof inner === "object" && inner !== null ? inner : {};
  const result = rest.length > 0 ? change(object[step], rest, value) : value;
  return { ...object, [step]: result };
}

/** An emulated cloud without containers, which records the calls of its hardware. */
export class TestCloud {
  readonly folder = mkdtempSync(join(tmpdir(), "store-cloud-"));
  readonly file = join(this.folder, "cloud.json");
  readonly real: string[] = [];
  faults: string[] = [];
  /** Time of the cloud's clock in milliseconds. It advances by the duration of each request. */
  private time = 0;
  readonly cloud = this.open();

  /** Advances the cloud's clock. */
  wait(seconds: number): void {
    this.time += seconds * 1000;
  }

  /** Opens the cloud's state, as another process would. */
  open(): Cloud {
    const note = (what: string) => (resource: Resource) => {
      this.real.push(`${what} ${resource.name}`);
      return Promise.resolve();
    };
    const hardware: Hardware = {
      boot: note("boot"),
      shutDown: note("shut down"),
      removeDisk: note("remove"),
      growDisk: note("grow"),
      setPower: (machine, state) => note(state === "running" ? "power on" : "power off")(machine),
      emptyRegistry: () => {
        this.real.push("empty the registry");
        return Promise.resolve();
      },
      applyAccessRules: () => Promise.resolve(),
    };
    return new Cloud({
      file: this.file,
      latencyFactor: 1,
      clock: {
        now: () => this.time,
        sleep: (ms, signal) => {
          signal?.throwIfAborted();
          this.time += ms;
          return Promise.resolve();
        },
      },
      registryAddress: "127.0.0.1:5000",
      hardware,
      faults: () => this.faults,
      onFaultOccurred: (fault) => (this.faults = this.faults.filter((one) => one !== fault)),
    });
  }

  /** Creates all resources before this one. */
  async before(part: Part): Promise<void> {
    for (const name of Object.keys(STAGING) as Part[]) {
      if (name === part) return;
      await this.make(name);
    }
  }

  async all(): Promise<void> {
    for (const name of Object.keys(STAGING) as Part[]) await this.make(name);
  }

  make(part: Part, path?: string, value?: Value): Promise<Resource> {
    const [token, properties] = STAGING[part];
    return this.cloud.create(
      token,
      path === undefined ? properties : changed(properties, path, value),
    );
  }

  update(part: Part, path: string, value: Value | undefined): Promise<Resource> {
    const [token, properties] = STAGING[part];
    return this.cloud.update(token, changed(properties, path, value));
  }

  names(): string[] {
    return this.cloud.everything().map(({ name }) => name);
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
