import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface IssuedCertificate {
  /** PEM of the certificate alone. */
  readonly certificate: string;
  /** PEM of its private key. */
  readonly key: string;
}

interface Request {
  /** DNS names and IPv4 addresses. Defaults to none. */
  readonly names?: readonly string[];
  /** Common name. Defaults to the first name. */
  readonly commonName?: string;
  /** Arguments of `openssl genpkey`. Defaults to ECDSA with P-256. */
  readonly key?: readonly string[];
  readonly days?: number;
  /** Lines of openssl's extensions, in addition to the names. Defaults to those of a TLS server's certificate. */
  readonly extensions?: readonly string[];
}

const P256 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

/** A certificate authority with a root and an intermediate certificate, made with the command openssl. */
export class TestAuthority {
  private readonly folder = mkdtempSync(join(tmpdir(), "store-certificates-"));
  readonly root: IssuedCertificate;
  readonly intermediate: IssuedCertificate;

  constructor() {
    const extensions = ["basicConstraints=critical,CA:TRUE"];
    this.root = this.create({ commonName: "Test Root", extensions }, undefined);
    this.intermediate = this.create({ commonName: "Test Intermediate", extensions }, this.root);
  }

  /** Issues a certificate by the intermediate. */
  issue(request: Request): IssuedCertificate {
    return this.create(request, this.intermediate);
  }

  /** Creates a certificate that is its own issuer. */
  selfSigned(request: Request): IssuedCertificate {
    return this.create(request, undefined);
  }

  /** Returns PEM with a certificate, the intermediate and the private key, as the gateway needs it. */
  bundle(request: Request): string {
    const { certificate, key } = this.issue(request);
    return certificate + this.intermediate.certificate + key;
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true });
  }

  private create(request: Request, issuer: IssuedCertificate | undefined): IssuedCertificate {
    const { names = [], commonName = names[0] ?? "", key = P256, days = 90 } = request;
    const { extensions = ["basicConstraints=CA:FALSE", "extendedKeyUsage=serverAuth"] } = request;
    const path = (name: string): string => join(this.folder, name);
    const alternativeNames = names
      .map((name) => `${isIPv4(name) ? "IP" : "DNS"}:${name}`)
      .join(",");
    const lines = [
      ...extensions,
      ...(names.length > 0 ? [`subjectAltName=${alternativeNames}`] : []),
    ];
    writeFileSync(path("extensions"), lines.join("\n"));
    openssl("genpkey", ...key, "-out", path("key"));
    openssl("req", "-new", "-key", path("key"), "-subj", `/CN=${commonName}`, "-out", path("csr"));
    if (issuer) {
      writeFileSync(path("issuer"), issuer.certificate);
      writeFileSync(path("issuerKey"), issuer.key);
    }
    openssl(
      ...[
        "x509",
        "-req",
        "-in",
        path("csr"),
        "-days",
        days.toString(),
        "-out",
        path("certificate"),
      ],
      ...["-extfile", path("extensions")],
      ...(issuer
        ? ["-CA", path("issuer"), "-CAkey", path("issuerKey"), "-CAcreateserial"]
        : ["-signkey", path("key")]),
    );
    const read = (name: string): string => readFileSync(path(name), "utf8");
    return { certificate: read("certificate"), key: read("key") };
  }
}

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: "pipe" });
}
