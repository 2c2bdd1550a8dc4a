import { randomInt } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { stringify } from "yaml";
import { run } from "@store/toolchain/system/run";
import { Resource } from "../arm/resourceType";
import { Route } from "../network/rules";

/** A machine outside of Azure with an SSH server, a user with sudo, and no Docker. */
export interface PlainMachine {
  readonly address: string;
  /** Identifies the machine's container, like a VM's vmId. */
  readonly vmId: string;
  readonly user: string;
  readonly privateKey: string;
  /** Public host key, "ssh-ed25519 AAAA…". */
  readonly hostKey: string;
}

const USER = "deploy";

interface BootableMachine {
  readonly machine: PlainMachine;
  readonly resource: Resource;
  readonly route: Route;
}

/** Generates the keys of machines with one login. @returns each machine, the resource to boot, and the route to it. */
export async function plainMachines(count: number): Promise<BootableMachine[]> {
  const login = await keyPair();
  // Addresses with a third octet from 1 on emulate Azure's public IPs; 127.77.0.1 is for checking the ports.
  const first = randomInt(2, 256 - count);
  return Promise.all(
    Array.from({ length: count }, (_, i) => bootableMachine(`127.77.0.${first + i}`, login)),
  );
}

async function bootableMachine(address: string, login: KeyPair): Promise<BootableMachine> {
  const host = await keyPair();
  const name = plainName(address);
  const vmId = crypto.randomUUID();
  const cloudInit = {
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: host.private, ed25519_public: host.public },
  };
  const resource: Resource = {
    id: `/plain/${vmId}`,
    token: "plain:Machine",
    name,
    properties: {
      osProfile: {
        computerName: name,
        adminUsername: USER,
        customData: Buffer.from(`#cloud-config\n${stringify(cloudInit)}`).toString("base64"),
        linuxConfiguration: {
          disablePasswordAuthentication: true,
          ssh: { publicKeys: [{ keyData: login.public }] },
        },
      },
    },
    computed: { vmId },
  };
  const open = (port: string): Route["groups"][number][number] => ({
    priority: 100,
    direction: "Inbound",
    access: "Allow",
    protocol: "Tcp",
    sourceAddressPrefix: "*",
    destinationPortRange: port,
  });
  return {
    machine: {
      address,
      vmId,
      user: USER,
      privateKey: login.private,
      hostKey: host.public,
    },
    resource,
    route: { address, machine: vmId, groups: [[open("22"), open("80"), open("443")]] },
  };
}

/** Returns the host name of a plain machine, which Swarm's list of nodes shows. */
export function plainName(address: string): string {
  return `plain-${address.split(".").at(-1) ?? ""}`;
}

interface KeyPair {
  readonly private: string;
  readonly public: string;
}

/** Generates an Ed25519 key pair in OpenSSH's format. */
async function keyPair(): Promise<KeyPair> {
  const folder = mkdtempSync(path.join(tmpdir(), "store-rehearsal-"));
  const file = path.join(folder, "key");
  try {
    const { code, stderr } = await run("ssh-keygen", [
      ...["-q", "-t", "ed25519", "-N", "", "-C", "rehearsal", "-f", file],
    ]);
    if (code !== 0) throw new Error(`ssh-keygen failed: ${stderr.trim()}`);
    return {
      private: readFileSync(file, "utf8"),
      public: readFileSync(`${file}.pub`, "utf8").trim().split(" ").slice(0, 2).join(" "),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
