import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { buildGoBinary } from "@store/toolchain/engine/goBinary";
import { cacheFolder, filesBelow, keyOf } from "@store/toolchain/system/cache";
import { withLock } from "@store/toolchain/system/lock";
import { GATEWAY_PUBLISHED_PORT } from "../../../components/gateway/clients";
import type { TestAuthority } from "../../support/certificates";
import { eventually } from "../support/eventually";
import type { TestNetwork } from "../gateway/network";

const SOURCES = join(__dirname, "pebble");
const NAME = "pebble";

/** Pebble, the certificate authority of Let's Encrypt for tests, in a container of the network. It finds other containers by Docker's DNS. */
export class Pebble {
  /** ACME directory for the containers of the network. */
  readonly directory = `https://${NAME}:14000/dir`;

  private constructor(
    private readonly managementPort: number,
    private readonly root: string,
  ) {}

  /** @param folder Folder for its files, which must exist as long as the container. */
  static async start(
    network: TestNetwork,
    authority: TestAuthority,
    folder: string,
  ): Promise<Pebble> {
    const { certificate, key } = authority.issue({ names: [NAME] });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "cert.pem"), certificate + authority.intermediate.certificate);
    writeFileSync(join(folder, "key.pem"), key);
    writeFileSync(join(folder, "config.json"), JSON.stringify({ pebble: CONFIG }));
    const port = await network.startProgram(NAME, {
      program: "/pebble-binary",
      args: ["-config", "/pebble/config.json"],
      options: [
        ...["--volume", `${await binary()}:/pebble-binary:ro`, "--volume", `${folder}:/pebble:ro`],
        // 0: no pause before a validation.
        ...["--user", "0", "--env", "PEBBLE_VA_NOSLEEP=1", "--publish", "127.0.0.1::15000"],
      ],
      port: 15000,
    });
    const pebble = new Pebble(port, authority.root.certificate);
    await eventually(async () => (await pebble.manage("/roots/0")).length > 0, "no Pebble");
    return pebble;
  }

  /** Returns the root certificate of all certificates that it issues. */
  rootCertificate(): Promise<string> {
    return this.manage("/roots/0");
  }

  /** Makes it suggest the renewal of a certificate at once (ARI, RFC 9773). */
  async suggestRenewal(certificate: string): Promise<void> {
    const hour = 3_600_000;
    const [start, end] = [2, 1].map((hours) => new Date(Date.now() - hours * hour).toISOString());
    const ARIResponse = JSON.stringify({ suggestedWindow: { start, end } });
    await this.manage("/set-renewal-info/", { Certificate: certificate, ARIResponse });
  }

  private async manage(path: string, body?: object): Promise<string> {
    const request = httpsRequest({
      ...{ host: "127.0.0.1", port: this.managementPort, path, servername: NAME, ca: this.root },
      method: body ? "POST" : "GET",
      headers: { "user-agent": "store-test" },
    }).end(body && JSON.stringify(body));
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const content = await text(response);
    assert.equal(response.statusCode, 200, content);
    return content;
  }
}

const CONFIG = {
  listenAddress: "0.0.0.0:14000",
  managementListenAddress: "0.0.0.0:15000",
  certificate: "/pebble/cert.pem",
  privateKey: "/pebble/key.pem",
  // In place of 80, because nothing publishes the gateway under its names.
  httpPort: GATEWAY_PUBLISHED_PORT,
  tlsPort: 5001,
  keyAlgorithm: "ecdsa",
  domainBlocklist: ["blocked.example.org"],
  retryAfter: { authz: 1, order: 1 },
  profiles: { default: { description: "default", validityPeriod: 7_776_000 } },
};

/** Returns the path of the binary, which is built once per machine. */
async function binary(): Promise<string> {
  const output = join(cacheFolder(), `pebble-${keyOf(filesBelow(SOURCES))}`);
  await withLock(
    cacheFolder(),
    "pebble",
    () => undefined,
    async () => {
      if (existsSync(output)) return;
      await buildGoBinary({
        title: "Pebble",
        module: SOURCES,
        package: "github.com/letsencrypt/pebble/v2/cmd/pebble",
        output,
      });
    },
  );
  return output;
}
