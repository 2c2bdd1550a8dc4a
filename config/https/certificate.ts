import { createHash, createPrivateKey, KeyObject, X509Certificate } from "node:crypto";
import { isIPv4 } from "node:net";
import { rootCertificates } from "node:tls";

/** A valid certificate in the form that the gateway reads. */
export interface Certificate {
  /** The certificate, its issuers in order, and the private key. Secret. */
  readonly pem: string;
  /** Changes with the certificate. Not secret. */
  readonly fingerprint: string;
  /** End of the validity: that of the certificate, or of an issuer's if it is earlier. */
  readonly expires: Date;
}

export interface CertificateCheck {
  /** Mistakes for which the certificate is refused: sentences that continue "store:certificate:". They contain nothing of the private key. */
  readonly mistakes: readonly string[];
  /** Problems with which the store can go on, in the same form. */
  readonly warnings: readonly string[];
  /** Undefined if there are mistakes. */
  readonly certificate?: Certificate;
}

/** Days before its end at which a certificate should be renewed. */
export const RENEWAL_DAYS = 21;

const DAY_MS = 24 * 3600 * 1000;

/** Checks a certificate with its chain and private key in PEM for these names. Finds all mistakes at once. */
export function checkCertificate(
  pem: string,
  names: readonly string[],
  now: Date = new Date(),
): CertificateCheck {
  const parsed = parseChain(pem);
  const keys = parseKey(pem);
  const [leaf] = parsed.chain;
  const mistakes = [
    ...parsed.mistakes,
    ...keys.mistakes,
    ...(leaf && keys.key ? pairMistakes(parsed.chain, keys.key) : []),
    ...orderMistakes(parsed.chain),
    ...(leaf ? [...nameMistakes(leaf, names), ...useMistakes(leaf)] : []),
    ...parsed.chain.flatMap((certificate, index) => validityMistakes(certificate, index, now)),
  ];
  const { key } = keys;
  if (mistakes.length > 0 || !leaf || !key) return { mistakes, warnings: [] };
  const certificate = toCertificate(parsed.chain, key);
  const warnings = [...completenessWarnings(parsed.chain), ...expiryWarnings(certificate, now)];
  return { mistakes, warnings, certificate };
}

function toCertificate(chain: readonly X509Certificate[], key: KeyObject): Certificate {
  const certificates = chain.map((certificate) => certificate.toString()).join("");
  return {
    pem: certificates + key.export({ type: "pkcs8", format: "pem" }).toString(),
    fingerprint: createHash("sha256").update(certificates).digest("hex").slice(0, 16),
    expires: new Date(Math.min(...chain.map(({ validTo }) => new Date(validTo).getTime()))),
  };
}

function parseChain(pem: string): Chain {
  const parsed = parseCertificates(pem);
  if (parsed.chain.length > 0 || parsed.mistakes.length > 0) return parsed;
  const mistake =
    'has no certificate. It should be PEM: the part from "-----BEGIN CERTIFICATE-----" on, and the private key.';
  return { chain: [], mistakes: [mistake] };
}

interface Chain {
  readonly chain: readonly X509Certificate[];
  readonly mistakes: readonly string[];
}

/** Parses all certificates in a text. There are none if one is damaged. */
export function parseCertificates(pem: string): Chain {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const chain: X509Certificate[] = [];
  const mistakes: string[] = [];
  for (const [index, block] of blocks.entries()) {
    try {
      chain.push(new X509Certificate(block));
    } catch {
      mistakes.push(
        `the ${ordinal(index)} certificate is damaged. Copy the whole file again, as its issuer sent it.`,
      );
    }
  }
  return { chain: mistakes.length > 0 ? [] : chain, mistakes };
}

function ordinal(index: number): string {
  return ["first", "second", "third"][index] ?? `${index + 1}th`;
}

function parseKey(pem: string): { key?: KeyObject; mistakes: string[] } {
  const blocks = pem.match(/-----BEGIN ([A-Z ]*PRIVATE KEY)-----[^]*?-----END \1-----/g) ?? [];
  const [block] = blocks;
  if (block === undefined) {
    return {
      mistakes: [
        "has no private key. Append it: cat CERTIFICATE_AND_CHAIN.pem KEY.pem. It is the key with which the certificate was requested.",
      ],
    };
  }
  if (blocks.length > 1) {
    return { mistakes: [`has ${blocks.length} private keys. Keep the certificate's own.`] };
  }
  if (/ENCRYPTED/.test(block)) {
    return {
      mistakes: [
        "the private key has a passphrase, which the gateway can't enter. Remove it: openssl pkey -in KEY.pem -out PLAIN.pem",
      ],
    };
  }
  try {
    const key = createPrivateKey(block);
    return { key, mistakes: keyMistakes(key) };
  } catch {
    return { mistakes: ["the private key is damaged. Copy the whole file again."] };
  }
}

const NEW_KEY =
  "Request a certificate for another key: openssl ecparam -name prime256v1 -genkey -noout -out KEY.pem";

/** Browsers accept RSA from 2048 bits on, and these two curves. */
function keyMistakes({ asymmetricKeyType: type, asymmetricKeyDetails }: KeyObject) {
  const { modulusLength = 0, namedCurve = "" } = asymmetricKeyDetails ?? {};
  const found =
    type === "rsa"
      ? modulusLength >= 2048
        ? undefined
        : `RSA with ${modulusLength} bits`
      : type === "ec"
        ? ["prime256v1", "secp384r1"].includes(namedCurve)
          ? undefined
          : `the curve ${namedCurve}`
        : `the type ${type ?? "unknown"}`;
  return found === undefined
    ? []
    : [
        `the private key is of a kind that browsers refuse (${found}); it should be ECDSA with P-256 or P-384, or RSA with at least 2048 bits. ${NEW_KEY}`,
      ];
}

function pairMistakes(chain: readonly X509Certificate[], key: KeyObject): string[] {
  const owner = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (owner === 0) return [];
  return owner < 0
    ? [
        "the private key doesn't belong to the certificate. Take the key with which the certificate was requested.",
      ]
    : [
        `the ${ordinal(owner)} certificate belongs to the private key, and has to be the first one: ${describe(chain[owner])}. Its issuers follow.`,
      ];
}

/** Each certificate must be followed by that of its issuer. */
function orderMistakes(chain: readonly X509Certificate[]): string[] {
  return chain.slice(1).flatMap((issuer, index) => {
    const subject = chain[index];
    if (subject === undefined || isIssuer(subject, issuer)) return [];
    return [
      `the ${ordinal(index + 1)} certificate (${describe(issuer)}) isn't that of the issuer of the one before it (${describe(subject)}). ` +
        "Order them: the store's own, its issuer's, that one's issuer's; and leave out the others.",
    ];
  });
}

function isIssuer(subject: X509Certificate, issuer: X509Certificate): boolean {
  return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

function nameMistakes(leaf: X509Certificate, names: readonly string[]): string[] {
  // Browsers ignore the subject.
  const isFor = (name: string): boolean =>
    (isIPv4(name)
      ? leaf.checkIP(name)
      : leaf.checkHost(name.replace("*", "any"), { subject: "never" })) !== undefined;
  const missing = names.filter((name) => !isFor(name));
  if (missing.length === 0) return [];
  const covered = (leaf.subjectAltName ?? "").replaceAll(/\b(DNS|IP Address):/g, "");
  return [
    `isn't valid for ${missing.join(", ")} (store:domain), but for ${covered || "no name"}. Request a certificate for all names, or change store:domain.`,
  ];
}

const SERVER_USE = "1.3.6.1.5.5.7.3.1";

function useMistakes({ keyUsage }: X509Certificate): string[] {
  // Node's name for the extended key usage; its type lacks the certificates without any.
  const uses = keyUsage as readonly string[] | undefined;
  return uses === undefined || uses.includes(SERVER_USE)
    ? []
    : ["isn't for servers, by its extended key usage. Request one for TLS servers."];
}

function validityMistakes(certificate: X509Certificate, index: number, now: Date): string[] {
  const [start, end] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  const name = describe(certificate);
  const remedy =
    index === 0
      ? "Renew it, and set store:certificate again."
      : "Replace it by its owner's current one, or leave it out if it is a root.";
  if (end <= now) return [`${name} expired on ${day(end)}. ${remedy}`];
  if (start <= now) return [];
  return [
    `${name} isn't valid before ${day(start)}. Check this machine's clock, or wait until then.`,
  ];
}

function expiryWarnings({ expires }: Certificate, now: Date): string[] {
  const days = Math.floor((expires.getTime() - now.getTime()) / DAY_MS);
  if (days > RENEWAL_DAYS) return [];
  const time = `${days} ${days === 1 ? "day" : "days"}, on ${day(expires)}`;
  return [`expires in ${time}. Renew it, and set store:certificate again.`];
}

/** Many clients don't trust a certificate of a public authority if that of the authority's intermediate is missing. */
function completenessWarnings(chain: readonly X509Certificate[]): string[] {
  const last = chain.at(-1);
  const [, address] = /CA Issuers - URI:(\S+)/.exec(last?.infoAccess ?? "") ?? [];
  if (last === undefined || address === undefined || isIssuer(last, last)) return [];
  const hasRoot = rootCertificates.some((root) => last.checkIssued(new X509Certificate(root)));
  return hasRoot
    ? []
    : [
        `the chain may be incomplete: it ends with ${describe(last)}, whose issuer isn't a known root. If clients refuse it, append its issuer's certificate: ${address}`,
      ];
}

function describe(certificate: X509Certificate | undefined): string {
  const [, name] = /^CN=(.*)$/m.exec(certificate?.subject ?? "") ?? [];
  return name ?? certificate?.subjectAltName ?? certificate?.subject ?? "";
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
