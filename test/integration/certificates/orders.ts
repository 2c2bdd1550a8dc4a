import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  certificateFile,
  certificateFolder,
  challengeAnswer,
} from "../../../components/certificates/acme";
import type { Https, OrderedCertificate } from "../../../components/gateway/https";
import {
  type CertificateOrder,
  describeOrder,
  parseOrder,
} from "../../../packages/cli/docker/gateway/certificateOrder";
import { TestAuthority } from "../../support/certificates";
import { handshake } from "../gateway/https";
import { Gateway, TestNetwork } from "../gateway/network";
import { eventually } from "../support/eventually";
import { startFaultyAuthorities } from "./faultyAuthorities";
import { Pebble } from "./pebble";

const SCRIPT = resolve(__dirname, "../../../components/certificates/orderCertificate.sh");
/** User of the container: the stack's if the tests run as root, else their own, who must be able to remove the files. */
const user = process.getuid?.() === 0 ? "1000:1000" : String(process.getuid?.());

export interface Status extends Pick<CertificateOrder, "state" | "next"> {
  /** Sentence for the user. Empty if the certificate is valid. */
  readonly message: string;
}

type OrderedHttps = Https & { readonly certificate: OrderedCertificate };

/** A gateway that answers the challenges of Pebble, and containers that order from it as those of the stack. */
export class Orders {
  private containers = 0;

  private constructor(
    private readonly folder: string,
    readonly network: TestNetwork,
    readonly authority: TestAuthority,
    readonly pebble: Pebble,
    readonly https: OrderedHttps,
    readonly gateway: Gateway,
    /** Time until which the limited authority refuses orders. */
    readonly limitedUntil: Date,
  ) {}

  static async create(names: readonly string[]): Promise<Orders> {
    const folder = mkdtempSync(join(tmpdir(), "store-orders-"));
    const authority = new TestAuthority();
    const network = await TestNetwork.create();
    const pebble = await Pebble.start(network, authority, join(folder, "pebble"));
    const limitedUntil = await startFaultyAuthorities(network, authority, join(folder, "faulty"));
    const account = generateKeyPairSync("ec", {
      namedCurve: "P-256",
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "sec1", format: "pem" },
    });
    mkdirSync(join(folder, "files"));
    writeFileSync(join(folder, "files", "order.sh"), readFileSync(SCRIPT));
    writeFileSync(join(folder, "files", "account.key"), account.privateKey);
    writeFileSync(join(folder, "files", "root.pem"), authority.root.certificate);
    const selfSigned = authority.selfSigned({ names });
    const certificate: OrderedCertificate = {
      placeholder: selfSigned.certificate + selfSigned.key,
      challengeAnswer: challengeAnswer(account.publicKey),
      volumeName: "",
      file: certificateFile({ directory: pebble.directory }, names),
    };
    const https = { names, port: 443, hstsSeconds: 300, certificate };
    const gateway = await network.startGateway({}, {}, [], { https });
    chmodSync(network.orderedFolder, 0o1777);
    return new Orders(folder, network, authority, pebble, https, gateway, limitedUntil);
  }

  /** Returns the published certificate of these names. */
  published(names: readonly string[]): string {
    return readFileSync(
      join(
        this.network.orderedFolder,
        certificateFile({ directory: this.pebble.directory }, names),
      ),
      "utf8",
    );
  }

  /** Loses everything about the certificate of these names except the published one. */
  lose(names: readonly string[]): void {
    const folder = join(
      this.network.orderedFolder,
      certificateFolder({ directory: this.pebble.directory }, names),
    );
    rmSync(folder, { recursive: true });
  }

  /** Returns the fingerprint of the certificate that the gateway serves for a name. @throws Error if it isn't trusted. */
  async served(servername: string): Promise<string> {
    const ca = await this.pebble.rootCertificate();
    const socket = await handshake(this.gateway.httpsPort, { ca, servername });
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  }

  /** Starts a container that orders. Returns a function that waits until it reports, and returns its status. */
  async start(names: readonly string[], directory = this.pebble.directory, profile = "-") {
    const name = `orders-${++this.containers}`;
    const { network, folder } = this;
    await network.startProgram(name, {
      image: "lego",
      program: "sh",
      args: [
        ...["/etc/store/order.sh", certificateFolder({ directory }, names)],
        ...[certificateFile({ directory }, names), directory, "-", profile, ...names],
      ],
      options: [
        ...["--user", user, "--read-only", "--cap-drop", "ALL"],
        ...["--tmpfs", "/tmp:mode=1777", "--env", "LEGO_CA_CERTIFICATES=/etc/store/root.pem"],
        ...["--volume", `${join(folder, "files")}:/etc/store:ro`],
        ...["--volume", `${network.orderedFolder}:/certificates`],
      ],
    });
    return async (): Promise<Status> => {
      let found: CertificateOrder | undefined;
      await eventually(async () => {
        found = parseOrder(await network.exec(name, "cat", "/tmp/status"));
        return found !== undefined && found.state !== "ordering";
      }, `${name} reports nothing`);
      await network.stopService(name);
      assert.ok(found);
      const { state, next } = found;
      return {
        state,
        next,
        message: describeOrder(found, { name: "staging", host: "store.example" }) ?? "",
      };
    };
  }

  /** Orders, and waits for the result. */
  async run(names: readonly string[], directory?: string, profile?: string): Promise<Status> {
    return (await this.start(names, directory, profile))();
  }

  async dispose(): Promise<void> {
    this.authority.dispose();
    await this.network.dispose();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
