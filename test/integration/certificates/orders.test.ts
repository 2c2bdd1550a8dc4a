import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import {
  certificateFile,
  certificateFolder,
  challengeAnswer,
} from "../../../components/certificates/acme";
import type { Https, OrderedCertificate } from "../../../components/gateway/https";
import { describeOrder, parseOrder } from "../../../packages/cli/docker/certificateOrder";
import { TestAuthority } from "../../support/certificates";
import { handshake, Http2Client } from "../gateway/https";
import { Gateway, TestNetwork } from "../gateway/network";
import { eventually } from "../support/eventually";
import { Pebble } from "./pebble";

const NAMES = ["shop.example.org", "www.shop.example.org"];
const [NAME = ""] = NAMES;
/** As in the stack. Somebody who isn't root couldn't remove the files of another user. */
const user = process.getuid?.() === 0 ? "1000:1000" : String(process.getuid?.());
const SCRIPT = resolve(__dirname, "../../../components/certificates/orderCertificate.sh");

interface Status {
  readonly state: string;
  readonly told: string;
}

describe("a certificate ordered by ACME", function () {
  this.timeout("5m");
  let network: TestNetwork;
  let authority: TestAuthority;
  let pebble: Pebble;
  let gateway: Gateway;
  let https: Https & { readonly certificate: OrderedCertificate };
  let folder: string;
  let containers = 0;
  /** Result of an order from an authority that is away. lego tries for half a minute, in which the other tests run. */
  let away: Promise<Status>;

  const account = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "sec1", format: "pem" },
  });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "store-orders-"));
    authority = new TestAuthority();
    network = await TestNetwork.create();
    pebble = await Pebble.start(network, authority, join(folder, "pebble"));
    mkdirSync(join(folder, "files"));
    writeFileSync(join(folder, "files", "order.sh"), readFileSync(SCRIPT));
    writeFileSync(join(folder, "files", "account.key"), account.privateKey);
    writeFileSync(join(folder, "files", "root.pem"), authority.root.certificate);
    const selfSigned = authority.selfSigned({ names: NAMES });
    const certificate: OrderedCertificate = {
      placeholder: selfSigned.certificate + selfSigned.key,
      challengeAnswer: challengeAnswer(account.publicKey),
      volumeName: "",
      file: fileOf(NAMES),
    };
    https = { names: NAMES, port: 443, hstsSeconds: 300, certificate };
    gateway = await network.startGateway({}, {}, [], { https });
    chmodSync(network.orderedFolder, 0o1777);
    away = (await order([NAME], "https://away.example:14000/dir"))();
    // The test reports it.
    away.catch(() => undefined);
  });
  after(async () => {
    authority.dispose();
    await network.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const acme = (directory = pebble.directory) => ({ directory });
  const fileOf = (names: readonly string[], directory?: string): string =>
    certificateFile(acme(directory), names);
  const published = (): string => readFileSync(join(network.orderedFolder, fileOf(NAMES)), "utf8");
  const served = async (): Promise<string> => {
    const ca = await pebble.rootCertificate();
    const socket = await handshake(gateway.httpsPort, { ca, servername: NAMES[1] });
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };

  /** Starts a container that orders. Returns a function that waits until it reports, and returns its status. */
  async function order(names: readonly string[], directory = pebble.directory) {
    const name = `orders-${++containers}`;
    await network.startProgram(name, {
      image: "lego",
      program: "sh",
      args: [
        ...["/etc/store/order.sh", certificateFolder(acme(directory), names)],
        ...[fileOf(names, directory), directory, "-", ...names],
      ],
      options: [
        ...["--user", user, "--read-only", "--cap-drop", "ALL"],
        ...["--tmpfs", "/tmp:mode=1777", "--env", "LEGO_CA_CERTIFICATES=/etc/store/root.pem"],
        ...["--volume", `${join(folder, "files")}:/etc/store:ro`],
        ...["--volume", `${network.orderedFolder}:/certificates`],
      ],
    });
    return async (): Promise<Status> => {
      let found: ReturnType<typeof parseOrder>;
      await eventually(async () => {
        found = parseOrder(await network.exec(name, "cat", "/tmp/status"));
        return found !== undefined && found.state !== "ordering";
      }, `${name} reports nothing`);
      await network.stopService(name);
      assert.ok(found);
      return { state: found.state, told: describeOrder(found, "store.example") ?? "" };
    };
  }

  it("is issued for all names, and served by the gateway", async () => {
    const { state, told } = await (await order(NAMES))();
    assert.equal(state, "valid", told);
    await eventually(async () => (await served()) !== "", "the gateway serves no trusted one");
    assert.equal(await served(), new X509Certificate(published()).fingerprint256);
  });

  it("isn't ordered again by the next container, which has the same volume", async () => {
    const before = published();
    assert.equal((await (await order(NAMES))()).state, "valid");
    assert.equal(published(), before);
  });

  it("is renewed when the authority suggests it, while no request is lost and no connection ends", async () => {
    const ca = await pebble.rootCertificate();
    const before = published();
    await pebble.suggestRenewal(before);
    const statuses: number[] = [];
    let done = false;
    const client = await Http2Client.connect(gateway.httpsPort, ca, NAME);
    const load = async (): Promise<void> => {
      while (!done) {
        const other = await Http2Client.connect(gateway.httpsPort, ca, NAME);
        statuses.push((await client.request("/")).status, (await other.request("/")).status);
        other.close();
        await pause(20);
      }
    };
    const renew = async (): Promise<void> => {
      assert.equal((await (await order(NAMES))()).state, "valid");
      assert.notEqual(published(), before);
      const { fingerprint256 } = new X509Certificate(published());
      await eventually(async () => (await served()) === fingerprint256, "the old one is served");
    };
    await Promise.all([renew().finally(() => (done = true)), load()]);
    client.close();
    assert.ok(statuses.length > 0);
    assert.deepEqual(new Set(statuses), new Set([200]));
  });

  it("is ordered with the same account when the volume is lost", async () => {
    rmSync(join(network.orderedFolder, certificateFolder(acme(), NAMES)), { recursive: true });
    const { state, told } = await (await order(NAMES))();
    assert.equal(state, "valid", told);
  });

  describe("tells why it can't be ordered", () => {
    it("for a name that leads to another server, one that leads nowhere, and one that the authority refuses", async () => {
      const server = "other.example.org";
      const challengeAnswer = "%[path,field(-1,/)].thumbprint-of-another-account";
      await network.startGateway({ requests: 1000 }, {}, [], {
        https: {
          ...https,
          names: [server],
          certificate: { ...https.certificate, challengeAnswer },
        },
      });
      const cases = [
        [[server], /leads to another server/],
        [["nowhere.example.org"], /DNS record/],
        [["blocked.example.org"], /issues no certificate for a name/],
      ] as const;
      await Promise.all(
        cases.map(async ([names, expected]) => {
          const { state, told } = await (await order(names))();
          assert.equal(state, "failed", names.join());
          assert.match(told, expected);
        }),
      );
    });

    it("for an authority that is away", async () => {
      const { state, told } = await away;
      assert.equal(state, "failed");
      assert.match(told, /doesn't reach the authority/);
    });
  });
});
