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
import type { Reporter } from "@store/toolchain/system/report";
import type { IssuedCertificate } from "../certificates";

const MODULE = join(__dirname, "module");

export interface PebbleOptions {
  /** Address at which it listens. */
  readonly listenAddress: string;
  /** Its own certificate with its issuers, and the private key. */
  readonly certificate: IssuedCertificate;
  /** Port at which it looks for the answer to an HTTP-01 challenge. */
  readonly httpPort: number;
}

/** Arguments of the binary, which reads {@link writePebbleConfig}'s folder at /pebble. */
export const PEBBLE_ARGUMENTS = ["-config", "/pebble/config.json"];
/** Options of Docker: no pause before a validation, and a validation for each order. */
export const PEBBLE_ENVIRONMENT = ["--env", "PEBBLE_VA_NOSLEEP=1", "--env", "PEBBLE_AUTHZREUSE=0"];
export const PEBBLE_PORT = 14000;
export const PEBBLE_MANAGEMENT_PORT = 15000;
/** A name for which it issues no certificate. */
export const BLOCKED_NAME = "blocked.example.org";

/** Writes the configuration of Pebble, the certificate authority of Let's Encrypt for tests. */
export function writePebbleConfig(
  folder: string,
  { listenAddress, certificate, httpPort }: PebbleOptions,
): void {
  const pebble = {
    listenAddress: `${listenAddress}:${PEBBLE_PORT}`,
    managementListenAddress: `${listenAddress}:${PEBBLE_MANAGEMENT_PORT}`,
    certificate: "/pebble/cert.pem",
    privateKey: "/pebble/key.pem",
    httpPort,
    tlsPort: 5001,
    keyAlgorithm: "ecdsa",
    domainBlocklist: [BLOCKED_NAME],
    retryAfter: { authz: 1, order: 1 },
    profiles: {
      default: { description: "90 days", validityPeriod: 7_776_000 },
      shortlived: { description: "160 hours", validityPeriod: 576_000 },
    },
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "cert.pem"), certificate.certificate);
  writeFileSync(join(folder, "key.pem"), certificate.key);
  writeFileSync(join(folder, "config.json"), JSON.stringify({ pebble }));
}

/** Client of the management interface of a running Pebble. */
export class PebbleManagement {
  /**
   * @param root Root certificate of its own certificate.
   * @param servername Name in its own certificate. Defaults to the host.
   */
  constructor(
    private readonly host: string,
    private readonly port: number,
    private readonly root: string,
    private readonly servername?: string,
  ) {}

  /** Returns the root certificate of all certificates that it issues. */
  rootCertificate(): Promise<string> {
    return this.request("/roots/0");
  }

  /** Makes it suggest the renewal of a certificate at once (ARI, RFC 9773). */
  async suggestRenewal(certificate: string): Promise<void> {
    const hour = 3_600_000;
    const [start, end] = [2, 1].map((hours) => new Date(Date.now() - hours * hour).toISOString());
    const ARIResponse = JSON.stringify({ suggestedWindow: { start, end } });
    await this.request("/set-renewal-info/", { Certificate: certificate, ARIResponse });
  }

  private async request(path: string, body?: object): Promise<string> {
    const { host, port, root: ca, servername } = this;
    const request = httpsRequest({
      ...{ host, port, path, ca, ...(servername !== undefined && { servername }) },
      method: body ? "POST" : "GET",
      headers: { "user-agent": "store-test" },
    }).end(body && JSON.stringify(body));
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const content = await text(response);
    assert.equal(response.statusCode, 200, content);
    return content;
  }
}

/**
 * Returns the path of the binary, which is built once per machine.
 *
 * @param report Receives the progress. Defaults to none.
 */
export async function pebbleBinary(report?: Reporter): Promise<string> {
  const output = join(cacheFolder(), `pebble-${keyOf(filesBelow(MODULE))}`);
  await withLock(
    cacheFolder(),
    "pebble",
    (pid) => report?.step(`Waiting for process ${pid}, which is building Pebble`),
    async () => {
      if (existsSync(output)) return;
      report?.step(
        "Building Pebble, the certificate authority of tests, from its Go module (once)",
      );
      await buildGoBinary({
        title: "Pebble",
        module: MODULE,
        package: "github.com/letsencrypt/pebble/v2/cmd/pebble",
        output,
      });
    },
  );
  return output;
}
