import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";

export interface Mirrors {
  readonly main: string;
  readonly security: string;
}

/** Returns Debian's mirrors in this machine's apt sources, which may be a company's; Debian's own by default. */
export function mirrorsOf(sources: string): Mirrors {
  const urls = urlsOf(sources);
  return {
    main: urls.find((url) => url.endsWith("/debian")) ?? "http://deb.debian.org/debian",
    security:
      urls.find((url) => url.endsWith("/debian-security")) ??
      "http://deb.debian.org/debian-security",
  };
}

/** Returns Ubuntu's mirror in this machine's apt sources, Ubuntu's own by default. Each mirror has the security updates as well. */
export function ubuntuMirrorsOf(sources: string): Mirrors {
  const main =
    urlsOf(sources).find((url) => url.endsWith("/ubuntu") && !OTHER_ARCHIVES.test(url)) ??
    "http://archive.ubuntu.com/ubuntu";
  return { main, security: main };
}

/** Archives of other software, which follow Ubuntu's layout: Docker's and the personal ones (PPA). */
const OTHER_ARCHIVES = /^https?:\/\/(download\.docker\.com|ppa\.)/;

function urlsOf(sources: string): string[] {
  return sources
    .split("\n")
    .filter((line) => !line.trimStart().startsWith("#"))
    .flatMap((line) => line.split(/\s+/))
    .filter((word) => /^https?:\/\//.test(word))
    .map((word) => word.replace(/\/+$/, ""));
}

/** Merges CA bundles without duplicates. */
export function mergeCertificates(bundles: readonly string[]): string {
  const blocks = bundles.flatMap(
    (text) => text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [],
  );
  return [...new Set(blocks)].map((block) => `${block}\n`).join("");
}

/**
 * Returns this machine's CA bundle, including the CA of an intercepting proxy (SSL_CERT_FILE, NODE_EXTRA_CA_CERTS): containers reach
 * the package registries through the same proxy, and must trust its CA.
 */
export function caBundle(): string {
  const { SSL_CERT_FILE, NODE_EXTRA_CA_CERTS } = process.env;
  const files = ["/etc/ssl/certs/ca-certificates.crt", SSL_CERT_FILE, NODE_EXTRA_CA_CERTS];
  const existing = files.filter((file) => file !== undefined && file !== "" && existsSync(file));
  return mergeCertificates(
    [...new Set(existing)].map((file) => readFileSync(file as string, "utf8")),
  );
}

export function aptSources(): string {
  const folder = "/etc/apt/sources.list.d";
  const files = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => /\.(list|sources)$/.test(name))
        .sort()
        .map((name) => path.join(folder, name))
    : [];
  return ["/etc/apt/sources.list", ...files]
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
}
