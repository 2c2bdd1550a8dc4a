import { setTimeout as sleep } from "node:timers/promises";
import { docker, labelled } from "@store/azure-emulator/docker";
import { TestAuthority } from "../support/certificates";
import {
  PEBBLE_ARGUMENTS,
  PEBBLE_ENVIRONMENT,
  PEBBLE_MANAGEMENT_PORT,
  PEBBLE_PORT,
  pebbleBinary,
  PebbleManagement,
  writePebbleConfig,
} from "../support/pebble/pebble";

/** Limit for its start, in milliseconds. */
const START_LIMIT_MS = 180_000;
/** Address of this machine in a container's network. */
const GATEWAY = "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}";

/**
 * The certificate authority of a rehearsal: Pebble on this machine's own network, so that it reaches the emulated public address as
 * anybody else does, through the firewall.
 */
export class RehearsalAuthority {
  private readonly addresses = new Map<string, string>();

  private constructor(
    private readonly container: string,
    /** ACME directory, as containers of the host reach it. */
    readonly directory: string,
    private readonly management: PebbleManagement,
    private issuingRoot: string,
    /** Root certificates of its own certificate and of those that it issues, for store:acmeRoot. */
    readonly roots: string,
  ) {}

  /**
   * @param id ID of the rehearsal.
   * @param registry A container in the rehearsal's network, and an image with a shell.
   * @param folder Folder for its files, which must exist as long as the container.
   */
  static async start(
    id: string,
    registry: { readonly container: string; readonly image: string },
    folder: string,
  ): Promise<RehearsalAuthority> {
    const address = await docker("inspect", "--format", GATEWAY, registry.container);
    const container = `store-rehearsal-${id}-pebble`;
    const root = writeFiles(folder, address);
    await docker(
      ...["run", "--detach", "--name", container, ...labelled(id), "--network", "host"],
      ...["--volume", `${await pebbleBinary()}:/pebble-binary:ro`],
      ...["--volume", `${folder}:/pebble:ro`, "--user", "0", ...PEBBLE_ENVIRONMENT],
      ...["--entrypoint", "/pebble-binary", registry.image, ...PEBBLE_ARGUMENTS],
    );
    const management = new PebbleManagement(address, PEBBLE_MANAGEMENT_PORT, root);
    const issuing = await whenStarted(management);
    const directory = `https://${address}:${PEBBLE_PORT}/dir`;
    return new RehearsalAuthority(container, directory, management, issuing, root + issuing);
  }

  /** Root certificate of the certificates that it issues. Changes when it starts again. */
  get root(): string {
    return this.issuingRoot;
  }

  /** Makes a name lead to an address, for this authority only. */
  async setAddress(name: string, address: string): Promise<void> {
    this.addresses.set(name, address);
    const line = `${address} ${name}`;
    const script = `sed '/ ${name}$/d' /etc/hosts >/tmp/hosts; echo '${line}' >>/tmp/hosts; cat /tmp/hosts >/etc/hosts`;
    await docker("exec", this.container, "sh", "-c", script);
  }

  /** Makes it suggest the renewal of a certificate at once. */
  suggestRenewal(certificate: string): Promise<void> {
    return this.management.suggestRenewal(certificate);
  }

  async stop(): Promise<void> {
    await docker("stop", "--time", "0", this.container);
  }

  /** Starts it again. It has lost its accounts and its root certificate. */
  async restart(): Promise<void> {
    await docker("start", this.container);
    this.issuingRoot = await whenStarted(this.management);
    for (const [name, address] of this.addresses) await this.setAddress(name, address);
  }
}

/** Writes the configuration with a certificate for the address. Returns the root certificate. */
function writeFiles(folder: string, address: string): string {
  const authority = new TestAuthority();
  try {
    const { certificate, key } = authority.issue({
      commonName: "pebble",
      extensions: [
        "basicConstraints=CA:FALSE",
        "extendedKeyUsage=serverAuth",
        `subjectAltName=IP:${address}`,
      ],
    });
    writePebbleConfig(folder, {
      listenAddress: address,
      certificate: { certificate: certificate + authority.intermediate.certificate, key },
      httpPort: 80,
    });
    return authority.root.certificate;
  } finally {
    authority.dispose();
  }
}

async function whenStarted(management: PebbleManagement): Promise<string> {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      return await management.rootCertificate();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}
