import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { certificateNote } from "@store/cli/docker/gateway/certificateNote";
import { askPublicAddress } from "@store/cli/docker/gateway/publicAddress";
import {
  describeCertificate,
  otherAddresses,
  needsRenewal,
  servedCertificate,
} from "@store/cli/docker/gateway/servedCertificate";
import { readProject } from "@store/cli/project/project";
import { TestAuthority } from "../../../support/certificates";

const NAME = "shop.invalid";

/** A name that leads nowhere, as before its DNS record is set, and a server at 127.0.0.1. */
describe("a store with HTTPS", () => {
  let authority: TestAuthority;
  let server: Server;
  let port: number;
  let answersTo: string[];

  before(async () => {
    authority = new TestAuthority();
    const extensions = ["basicConstraints=CA:FALSE", `subjectAltName=DNS:${NAME},IP:127.0.0.1`];
    const { certificate, key } = authority.issue({ commonName: NAME, extensions });
    server = createServer(
      { cert: certificate + authority.intermediate.certificate, key },
      ({ url = "", headers }, response) => {
        answersTo.push(headers.host ?? "");
        response.statusCode = url === "/api/orders/openapi.json" ? 503 : 200;
        const openapi = "/api/orders/openapi.json";
        response.end(
          url === "/api" ? JSON.stringify({ services: [{ name: "orders", openapi }] }) : "",
        );
      },
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
  });
  beforeEach(() => (answersTo = []));
  after(() => {
    server.close();
    server.closeAllConnections();
    authority.dispose();
  });

  it("is asked at its host by its name, before the name leads there and whatever its certificate", async () => {
    assert.deepEqual(await askPublicAddress(`https://${NAME}:${port}`, "127.0.0.1"), {
      kind: "unavailable",
      services: ["orders"],
    });
    assert.deepEqual(new Set(answersTo), new Set([`${NAME}:${port}`]));
  });

  it("shows the days of its certificate in a preview, and nothing without HTTPS", async () => {
    const folder = mkdtempSync(join(tmpdir(), "store-certificate-"));
    const stackWith = (name: string, config: string) => {
      writeFileSync(join(folder, `${name}.yaml`), `config:\n${config}`);
      return { name, file: join(folder, `${name}.yaml`) };
    };
    try {
      const secured = stackWith(
        "secured",
        `  store:domain: "127.0.0.1"\n  store:httpsPort: ${port}\n`,
      );
      assert.match(
        (await certificateNote(readProject(), secured)) ?? "",
        /^the certificate of 127\.0\.0\.1 is valid for \d+ days, until /,
      );
      const plain = stackWith("plain", "  store:httpPort: 8080\n");
      assert.equal(await certificateNote(readProject(), plain), undefined);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("refuses connections if nothing listens", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port: closed } = other.address() as AddressInfo;
    await new Promise((done) => other.close(done));
    const url = `https://${NAME}:${closed}`;
    assert.deepEqual(await askPublicAddress(url, "127.0.0.1"), { kind: "refused" });
    assert.equal(await servedCertificate(url, undefined, "127.0.0.1"), undefined);
  });

  it("shows a certificate with its end and the reason for which clients refuse it", async () => {
    const served = await servedCertificate(`https://${NAME}:${port}`, undefined, "127.0.0.1");
    assert.ok(served);
    assert.match(
      describeCertificate(served),
      /^valid for 89 days, until [\d-]+; it isn't from an auth/,
    );
    assert.ok(needsRenewal(served, false));
  });

  it("is trusted if its authority's root is configured, under its own name only", async () => {
    const problemAt = async (name: string): Promise<string | undefined> => {
      const root = authority.root.certificate;
      return (await servedCertificate(`https://${name}:${port}`, root, "127.0.0.1"))?.problem;
    };
    assert.equal(await problemAt(NAME), undefined);
    assert.equal(await problemAt("127.0.0.1"), undefined);
    assert.equal(await problemAt("other.invalid"), "isn't valid for other.invalid");
  });

  it("has a certificate that should be renewed three weeks before its end", () => {
    const certificate = {
      starts: new Date("2029-12-31T12:00:00Z"),
      expires: new Date("2030-03-31T12:00:00Z"),
      problem: undefined,
    };
    for (const [now, expected, renewal] of [
      ["2030-03-01T00:00:00Z", "valid for 30 days, until 2030-03-31", false],
      ["2030-03-11T00:00:00Z", "valid for 20 days, until 2030-03-31", true],
      ["2030-03-30T00:00:00Z", "valid for 1 day, until 2030-03-31", true],
      ["2030-04-02T00:00:00Z", "expired on 2030-03-31", true],
    ] as const) {
      assert.equal(describeCertificate(certificate, new Date(now)), expected);
      assert.equal(needsRenewal(certificate, false, new Date(now)), renewal, now);
    }
  });

  it("has a name that leads to the host, elsewhere or nowhere", async () => {
    assert.equal(await otherAddresses("localhost", "localhost"), undefined);
    assert.deepEqual(await otherAddresses("127.0.0.1", "127.0.0.2"), ["127.0.0.1"]);
    assert.deepEqual(await otherAddresses(NAME, "127.0.0.1"), []);
  });
});
