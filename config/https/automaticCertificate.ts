import { isIPv4 } from "node:net";
import { IPv4 } from "ipaddr.js";
import { type AcmeArgs, LETS_ENCRYPT } from "../../components/certificates/acme";
import { Mistake } from "../configError";
import { AZURE_DOMAIN } from "./domainNames";
import { rootCertificate } from "./rootCertificate";
import { configSet } from "../rule";
import { ConfigKey, ConfigValues } from "../schema";

export interface AutomaticCertificate {
  readonly acme: AcmeArgs;
  readonly mistakes: readonly Mistake[];
  /** Problems that don't prevent an `up`, as "store:KEY: PROBLEM". */
  readonly warnings: readonly string[];
}

/** Checks whether an authority can issue a certificate for these names to this stack. */
export function automaticCertificate(
  { acmeDirectory, acmeEmail, acmeRoot, httpPort, domain }: ConfigValues,
  names: readonly string[],
): AutomaticCertificate {
  const isPublic = acmeDirectory.includes(LETS_ENCRYPT);
  const key: ConfigKey = domain === "" ? "dnsLabel" : "domain";
  const { root, mistakes } = rootCertificate("acmeRoot", acmeRoot, "the authority");
  return {
    acme: {
      directory: acmeDirectory,
      ...(acmeEmail !== "" && { email: acmeEmail }),
      ...(root !== undefined && { root }),
      ...(isPublic && names.some(isIPv4) && { profile: ADDRESS_PROFILE }),
    },
    // An authority of one's own may issue certificates for any name.
    mistakes: [...mistakes, ...wildcardMistakes(names), ...(isPublic ? publicMistakes(names) : [])],
    warnings: [
      ...portWarnings(httpPort),
      ...(isPublic ? names.flatMap((name) => labelWarning(name, key) ?? []) : []),
    ],
  };
}

/** Let's Encrypt issues certificates for addresses only for 160 hours. @see https://letsencrypt.org/docs/profiles/ */
const ADDRESS_PROFILE = "shortlived";

/** Names in one certificate of Let's Encrypt. */
const MOST_NAMES = 100;

/** Names that aren't in the public DNS. @see https://www.iana.org/assignments/special-use-domain-names */
const PRIVATE_NAME =
  /^[^.]+$|\.(localhost|local|internal|lan|home\.arpa|test|example|invalid|onion|alt)$/;

/** An authority wants a DNS record to prove a wildcard, which the gateway can't set. */
function wildcardMistakes(names: readonly string[]): Mistake[] {
  const wildcards = names.filter((name) => name.startsWith("*."));
  return wildcards.length === 0
    ? []
    : [
        {
          key: "certificate",
          problem: `is empty, but a service has the hosts ${wildcards.join(", ")}, and no certificate for a wildcard is ordered. Set one that is valid for them, too: ${configSet("--secret certificate < FILE")}. Or list each host in the service's spec.`,
        },
      ];
}

function publicMistakes(names: readonly string[]): Mistake[] {
  const unknown = names.filter((name) =>
    isIPv4(name) ? IPv4.parse(name).range() !== "unicast" : PRIVATE_NAME.test(name),
  );
  const ownCertificate = configSet("--secret certificate < FILE");
  return [
    ...(unknown.length > 0
      ? [
          {
            key: "domain",
            problem: `Let's Encrypt issues no certificate for ${unknown.join(", ")}, which isn't public. Set a certificate of your own: ${ownCertificate}. Or the authority that issues them: ${configSet("acmeDirectory URL")}`,
          },
        ]
      : []),
    ...(names.length > MOST_NAMES
      ? [
          {
            key: "domain",
            problem: `has ${names.length} names, but a certificate of Let's Encrypt is for ${MOST_NAMES} at most. Remove some, or set a certificate of your own: ${ownCertificate}`,
          },
        ]
      : []),
  ];
}

function portWarnings(httpPort: number): string[] {
  return httpPort === 80
    ? []
    : [
        `store:httpPort: is ${httpPort}, but a certificate authority checks at port 80 that the names of store:domain are yours. Unless something forwards that port: ${configSet("httpPort 80")}`,
      ];
}

/** @see https://github.com/letsencrypt/boulder/issues/7479 */
function labelWarning(name: string, key: ConfigKey): string | undefined {
  return name.endsWith(`.${AZURE_DOMAIN}`)
    ? `store:${key}: all customers of Azure together share the number of certificates that Let's Encrypt issues for names like ${name} in a week. An order may be refused for days, while the store is served by HTTP; a domain of your own has no such neighbours: ${configSet("domain NAME")}`
    : undefined;
}
