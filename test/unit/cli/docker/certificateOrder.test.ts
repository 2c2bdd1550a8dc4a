import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noteHttpsProblems } from "@store/cli/lifecycle/verifyPublicAddress";
import { COMMANDS } from "@store/cli/main";
import { parseProject } from "@store/cli/project/project";
import type { Session } from "@store/cli/project/session";
import type { Reporter } from "@store/cli/terminal/terminal";
import type { Docker } from "@store/docker/docker";
import {
  certificateOrder,
  describeOrder,
  orderingStack,
  parseOrder,
} from "../../../../packages/cli/docker/gateway/certificateOrder";

const STACK = { name: "staging", host: "store.example" };
const NEXT = Date.UTC(2026, 10, 28, 20, 15) / 1000;
const AUTHORITY = "acme: error: 400 :: POST :: https://ca.example/chall/1";

describe("the order of the certificate", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "stack-"))));
  after(() => rmSync(folder, { recursive: true }));

  /** Returns the stack "staging" with this configuration. */
  const sessionOf = (
    config: Readonly<Record<string, string>>,
  ): Pick<Session, "project" | "stack"> => {
    const file = join(folder, "Pulumi.staging.yaml");
    writeFileSync(file, JSON.stringify({ config }));
    return { project: parseProject(folder, "name: store"), stack: { name: "staging", file } };
  };
  const outputOf = (error: string): string =>
    `failed ${NEXT} ${JSON.stringify({ time: "x", level: "ERROR", msg: "Error", error })}\n`;
  const described = (error: string): string => {
    const order = parseOrder(outputOf(error));
    assert.ok(order);
    return describeOrder(order, STACK) ?? "";
  };

  for (const [title, error, expected] of [
    [
      "a name without a DNS record",
      `obtain certificate: error: ${AUTHORITY} :: urn:ietf:params:acme:error:dns :: DNS problem: NXDOMAIN looking up A for shop.example.org, url: `,
      /leads nowhere \(DNS problem: NXDOMAIN looking up A for shop\.example\.org\)\. Create its DNS record .*: \.\/store ip staging\./,
    ],
    [
      "a closed port 80",
      `${AUTHORITY} :: urn:ietf:params:acme:error:connection :: 203.0.113.7: Fetching http://shop.example.org/.well-known/acme-challenge/x: Timeout during connect (likely firewall problem)]`,
      /doesn't reach port 80 .*firewall problem\)\)\. No firewall .*: \.\/store ip staging\./,
    ],
    [
      "a name of another server",
      `${AUTHORITY} :: urn:ietf:params:acme:error:unauthorized :: 203.0.113.9: Invalid response from http://shop.example.org/: 404`,
      /leads to another server than store\.example \(203\.0\.113\.9: Invalid response.*: \.\/store ip staging\./,
    ],
    [
      "too many certificates",
      "acme: error: 429 :: POST :: https://ca.example/order :: urn:ietf:params:acme:error:rateLimited :: too many certificates (5) already issued, retry after 2026-11-28 20:15:00 UTC",
      /refuses further certificates for a while.*retry after 2026-11-28 20:15:00 UTC\)/,
    ],
    [
      "an authority that isn't reachable",
      'set up client: get directory at "https://ca.example/directory": Get "https://ca.example/directory": dial tcp: lookup ca.example on 127.0.0.11:53: no such host',
      /doesn't reach the authority \(.*no such host\)\. Check store:acmeDirectory/,
    ],
    [
      "an authority that wants an account registered by hand",
      "registration: server requires External Account Binding (EAB)",
      /registered by hand\. .*: \.\/store pulumi config set acmeDirectory URL -s staging; then \.\/store up staging\./,
    ],
    [
      "a wrong clock",
      'set up client: Get "https://ca.example/directory": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2020-01-01T00:00:00Z is before 2026-11-28T00:00:00Z',
      /the clock of store\.example is wrong, or the authority's own certificate isn't valid \(.*current time 2020.*: \.\/store ssh staging -- date -u\./,
    ],
    [
      "an authority that nobody knows",
      'Get "https://ca.internal/directory": tls: failed to verify certificate: x509: certificate signed by unknown authority',
      /root certificate isn't known\. .*store:acmeRoot.*: \.\/store pulumi config set acmeRoot FILE -s staging; then \.\/store up staging\./,
    ],
    [
      "a name for which the authority issues nothing",
      `${AUTHORITY} :: urn:ietf:params:acme:error:rejectedIdentifier :: Policy forbids issuing for name`,
      /issues no certificate .*: \.\/store pulumi config set --secret certificate -s staging < FILE; then \.\/store up staging\./,
    ],
    [
      "a refused e-mail address",
      `${AUTHORITY} :: urn:ietf:params:acme:error:invalidContact :: contact email has forbidden domain "example.org"`,
      /refuses store:acmeEmail .*: \.\/store pulumi config set acmeEmail ADDRESS -s staging; then \.\/store up staging\./,
    ],
    [
      "a CAA record",
      `${AUTHORITY} :: urn:ietf:params:acme:error:caa :: CAA record for example.org prevents issuance`,
      /CAA record of the domain .*: \.\/store pulumi config set acmeDirectory URL -s staging; then/,
    ],
    ["another error", "registration: something new", /lego says: registration: something new\./],
  ] as const) {
    it(`says the cause, the remedy and the next try for ${title}`, () => {
      assert.match(described(error), expected);
      assert.match(described(error), /^the certificate can't be ordered: /);
      assert.match(described(error), /Next try: 2026-11-28 20:15 UTC(; at once: .*'kill 1')?$/);
    });

    it(`names commands that exist, on the stack, for ${title}`, () => {
      for (const [line, name = ""] of described(error).matchAll(/\.\/store (\S+)[^;.]*/g)) {
        assert.ok(Object.hasOwn(COMMANDS, name), name);
        assert.match(line, / staging\b/);
      }
    });
  }

  it("can be tried again at once, unless the authority has refused for a time", () => {
    const refused = (type: string): string =>
      described(`${AUTHORITY} :: urn:ietf:params:acme:error:${type} :: x`);
    const retry = /UTC; at once: \.\/store exec certificates -s staging -- sh -c 'kill 1'$/;
    assert.match(refused("dns"), retry);
    assert.match(refused("rateLimited"), /UTC$/);
  });

  describe("of a stack with a zone of Azure DNS", () => {
    const ID =
      "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/dns/providers/Microsoft.Network/dnszones/Example.org";
    const remedyFor = (detail: string, dnsZone = ID, type = "dns"): string => {
      const error = `${AUTHORITY} :: urn:ietf:params:acme:error:${type} :: ${detail}`;
      const order = parseOrder(outputOf(error));
      const stack = orderingStack(sessionOf({ dnsZone }), STACK.host);
      return (order && describeOrder(order, stack)) ?? "";
    };

    it("says what is missing for a name whose record the stack creates", () => {
      for (const zone of [ID, "example.org"]) {
        const text = remedyFor("NXDOMAIN looking up A for Shop.example.org - check it", zone);
        assert.match(
          text,
          /leads nowhere .*store:dnsZone is found once the domain's registrar has/,
        );
        assert.doesNotMatch(text, /Create its DNS record/);
      }
    });

    it("asks for the record of a name outside the zone, for which the stack creates none", () => {
      for (const name of ["shop.example.net", "notexample.org"]) {
        const text = remedyFor(`NXDOMAIN looking up A for ${name}`);
        assert.match(text, /Create its DNS record with .*: \.\/store ip staging\./);
        assert.doesNotMatch(text, /store:dnsZone/);
      }
      assert.match(remedyFor("NXDOMAIN looking up A for example.org", ""), /Create its DNS record/);
    });

    it("asks nobody to edit a record that the stack creates, if its name leads to another server", () => {
      const detail = (name: string): string =>
        `203.0.113.9: Invalid response from http://${name}/.well-known/acme-challenge/x: 404`;
      for (const type of ["unauthorized", "incorrectResponse"]) {
        const own = remedyFor(detail("shop.example.org"), ID, type);
        assert.match(own, /leads to another server .* Wait a minute.*registrar has the zone's/);
        assert.doesNotMatch(own, /DNS record needs/);
        assert.match(
          remedyFor(detail("shop.example.net"), ID, type),
          /DNS record needs the address/,
        );
      }
      const unreachable = "203.0.113.9: Fetching http://shop.example.org/x: Timeout during connect";
      assert.doesNotMatch(remedyFor(unreachable, ID, "connection"), /DNS record needs/);
      assert.match(remedyFor(unreachable, "", "connection"), /DNS record needs the address/);
    });

    it("says the same of the store's address at the end of an up", async () => {
      const notes = async (
        name: string,
        dnsZone = "example.invalid",
        host = "127.0.0.1",
      ): Promise<string> => {
        const found: string[] = [];
        const report = { note: (text: string) => found.push(text) } as unknown as Reporter;
        // The certificate is missing, because nothing listens at the port.
        const served = { url: `https://${name}:1`, host };
        const session = sessionOf({ dnsZone, domain: name });
        await noteHttpsProblems(session, served, report);
        return found.join("\n");
      };
      assert.match(
        await notes("shop.example.invalid"),
        /leads nowhere\. Its record in store:dnsZone/,
      );
      assert.match(
        await notes("shop.other.invalid"),
        /leads nowhere\. Clients reach the store once its DNS record leads to 127\.0\.0\.1/,
      );
      const elsewhere = await notes("localhost", "localhost", "127.0.0.2");
      assert.match(
        elsewhere,
        /leads to .*127\.0\.0\.1.*\. Wait a minute.*registrar has the zone's/,
      );
      assert.doesNotMatch(elsewhere, /is found once/);
    });
  });

  it("says for an SSH host, whose ports are closed to containers, where an authority of its own has to run", () => {
    const order = parseOrder(
      outputOf('Get "https://ca.internal/directory": dial tcp 10.0.0.5:443: connection refused'),
    );
    assert.ok(order);
    const textOn = (host: string): string =>
      describeOrder(order, orderingStack(sessionOf({ host }), STACK.host)) ?? "";
    assert.match(
      textOn("ssh"),
      /Check store:acmeDirectory.* An authority on the host itself .* container on the network of certificates \(docs/,
    );
    assert.doesNotMatch(textOn("azure"), /on the host itself/);
  });

  it("needs no words once the certificate is there", () => {
    const order = parseOrder(`valid ${NEXT} \n`);
    assert.ok(order);
    assert.equal(describeOrder(order, STACK), undefined);
  });

  it("understands an error that was cut off", () => {
    const cut = outputOf(`${AUTHORITY} :: urn:ietf:params:acme:error:caa :: CAA record`).slice(
      0,
      -5,
    );
    const order = parseOrder(cut);
    assert.match((order && describeOrder(order, STACK)) ?? "", /CAA record of the domain allows/);
  });

  it("is unknown without a container that orders, and before its first word", async () => {
    const inspection = { State: { Health: { Log: null } } };
    const docker = { get: () => Promise.resolve(inspection) } as unknown as Docker;
    const container = (role: "gateway" | "certificates") => ({ id: "1", role });
    assert.equal(await certificateOrder(docker, [container("gateway")]), undefined);
    assert.equal(await certificateOrder(docker, [container("certificates")]), undefined);
  });
});
