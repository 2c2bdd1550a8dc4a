import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestAuthority } from "../../support/certificates";
import type { TestNetwork } from "../gateway/network";

const HOST = "faulty";
/** Pebble behind a proxy that refuses each order for an hour. */
export const LIMITED = `https://${HOST}:14000/dir`;
/** An authority whose own certificate has ended, or hasn't by a clock that is right. */
export const ENDED = `https://${HOST}:14001/dir`;
/** An authority whose own certificate is from an unknown issuer. */
export const UNKNOWN = `https://${HOST}:14002/dir`;

/**
 * Starts authorities that Pebble can't play, in a container of the network.
 *
 * @param folder Folder for its files.
 * @returns the time until which the limited one refuses orders.
 */
export async function startFaultyAuthorities(
  network: TestNetwork,
  authority: TestAuthority,
  folder: string,
): Promise<Date> {
  mkdirSync(folder);
  const write = (file: string, content: string): void =>
    writeFileSync(join(folder, file), content, { mode: 0o644 });
  write("limited.pem", authority.bundle({ names: [HOST] }));
  write("ended.pem", authority.bundle({ names: [HOST], days: -1 }));
  const { certificate, key } = authority.selfSigned({ names: [HOST] });
  write("unknown.pem", certificate + key);
  const until = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 3_600_000);
  const untilText = until.toISOString().slice(0, 19).replace("T", " ");
  write("haproxy.cfg", CONFIG.replace("UNTIL", untilText));
  await network.startProgram(HOST, {
    program: "haproxy",
    args: ["-f", "/faulty/haproxy.cfg"],
    options: ["--volume", `${folder}:/faulty:ro`],
  });
  return until;
}

const CONFIG = `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend limited
  bind :14000 ssl crt /faulty/limited.pem
  http-request return status 429 content-type application/problem+json hdr retry-after 3600 string '{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many new orders (300) from this account in the last 3h0m0s, retry after UNTIL UTC: see https://ca.example"}' if { path /order-plz }
  default_backend pebble
backend pebble
  server pebble pebble:14000 ssl verify none
frontend ended
  bind :14001 ssl crt /faulty/ended.pem
  bind :14002 ssl crt /faulty/unknown.pem
  http-request return status 500
`;
