import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { GATEWAY_PUBLISHED_PORT } from "../../../components/gateway/rules/clients";
import { Http2Client } from "../gateway/https";
import { docker } from "../../support/run";
import { eventually } from "../support/eventually";
import { BLOCKED_NAME } from "../../support/pebble/pebble";
import { ENDED, LIMITED, UNKNOWN } from "./faultyAuthorities";
import { Orders, type Status } from "./orders";
import { PEBBLE } from "./pebble";

const NAMES = ["shop.example.org", "www.shop.example.org"];
const [NAME = ""] = NAMES;
const OTHER_NAMES = ["outlet.example.org"];

describe("a certificate ordered by ACME", () => {
  let orders: Orders;
  /** Result of an order from an authority that is away. lego tries for half a minute, in which the other tests run. */
  let away: Promise<Status>;

  before(async () => {
    orders = await Orders.create([...NAMES]);
    away = orders.run([NAME], "https://away.example:14000/dir");
    // The test reports it.
    away.catch(() => undefined);
  });
  after(() => orders.dispose());

  const fingerprint = (pem: string): string => new X509Certificate(pem).fingerprint256;
  const untilServed = (name: string, expected: string): Promise<void> =>
    eventually(async () => (await orders.served(name)) === expected, "another one is served");

  it("is issued for all names, and served by the gateway, although the authority refuses a third of the nonces", async () => {
    const { state, message } = await orders.run(NAMES);
    assert.equal(state, "valid", message);
    for (const name of NAMES) await untilServed(name, fingerprint(orders.published(NAMES)));
  });

  it("isn't ordered again by the next container, which has the same volume", async () => {
    const before = orders.published(NAMES);
    assert.equal((await orders.run(NAMES)).state, "valid");
    assert.equal(orders.published(NAMES), before);
  });

  it("is renewed when the authority suggests it, while no request is lost and no connection ends", async () => {
    const { pebble, gateway } = orders;
    const ca = await pebble.rootCertificate();
    const before = orders.published(NAMES);
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
      assert.equal((await orders.run(NAMES)).state, "valid");
      assert.notEqual(orders.published(NAMES), before);
      await untilServed(NAME, fingerprint(orders.published(NAMES)));
    };
    await Promise.all([renew().finally(() => (done = true)), load()]);
    client.close();
    assert.ok(statuses.length > 0);
    assert.deepEqual(new Set(statuses), new Set([200]));
  });

  it("is ordered with the same account when the volume is lost", async () => {
    orders.lose(NAMES);
    const { state, message } = await orders.run(NAMES);
    assert.equal(state, "valid", message);
  });

  it("is issued for an address, for a short time", async () => {
    const address = (await docker("inspect", "--format", ADDRESS, orders.gateway.container)).trim();
    const { state, message } = await orders.run([address], undefined, "shortlived");
    assert.equal(state, "valid", message);
    const certificate = new X509Certificate(orders.published([address]));
    assert.equal(certificate.checkIP(address), address);
    const hours = (new Date(certificate.validTo).getTime() - Date.now()) / 3_600_000;
    assert.ok(hours > 150 && hours < 161, certificate.validTo);
  });

  it("is ordered again after the gateway was killed during the order", async () => {
    const { container } = orders.gateway;
    const address = await docker("inspect", "--format", ADDRESS, container);
    // Docker forgets the names of a container that has ended; a DNS record stays.
    const lines = NAMES.map((name) => `${address.trim()} ${name}`).join("\n");
    await orders.network.exec(PEBBLE, "sh", "-c", `echo '${lines}' >>/etc/hosts`);
    orders.lose(NAMES);
    await docker("kill", container);
    const { state, message } = await orders.run(NAMES);
    assert.deepEqual([state, message.match(/can't be ordered/g)?.length], ["failed", 1]);
    assert.match(message, /doesn't reach port 80 at the name/);
    await docker("start", container);
    const listens = `exec 3<>/dev/tcp/127.0.0.1/${GATEWAY_PUBLISHED_PORT}`;
    await eventually(
      async () => (await docker("exec", container, "bash", "-c", listens)) === "",
      "the gateway doesn't listen again",
    );
    const again = await orders.run(NAMES);
    assert.equal(again.state, "valid", again.message);
  });

  describe("reports why it can't be ordered", () => {
    it("for a name that leads to another server, one that leads nowhere, and one that the authority refuses", async () => {
      const server = "other.example.org";
      const challengeAnswer = "%[path,field(-1,/)].thumbprint-of-another-account";
      const certificate = { ...orders.https.certificate, challengeAnswer };
      await orders.network.startGateway({ requests: 1000 }, {}, [], {
        https: { ...orders.https, names: [server], certificate },
      });
      const cases = [
        [[server], /leads to another server/],
        [["nowhere.example.org"], /DNS record/],
        [[BLOCKED_NAME], /issues no certificate for a name/],
      ] as const;
      await Promise.all(
        cases.map(async ([names, expected]) => {
          const { state, message } = await orders.run(names);
          assert.equal(state, "failed", names.join());
          assert.match(message, expected);
        }),
      );
    });

    it("for too many orders, and tries again when the authority says so", async () => {
      const { state, message, next } = await orders.run(OTHER_NAMES, LIMITED);
      assert.equal(state, "failed");
      assert.match(
        message,
        /refuses further certificates for a while.*too many new orders \(300\)/,
      );
      assert.equal(next.getTime(), orders.limitedUntil.getTime(), message);
    });

    it("for a wrong clock, and for an authority that nobody knows", async () => {
      const [ended, unknown] = await Promise.all([
        orders.run([NAME], ENDED),
        orders.run([NAME], UNKNOWN),
      ]);
      assert.match(ended.message, /the clock of store\.example is wrong, or .* not yet valid/);
      assert.match(unknown.message, /root certificate isn't known.*store:acmeRoot/);
      assert.deepEqual([ended.state, unknown.state], ["failed", "failed"]);
    });

    it("for an authority that is away", async () => {
      const { state, message } = await away;
      assert.equal(state, "failed");
      assert.match(message, /doesn't reach the authority/);
    });
  });
});

/** Address of a container. */
const ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
