import * as v from "valibot";
import { DEFAULT_DIRECTORY } from "../components/certificates/acme";
import { MOST_INSTANCES } from "../components/gateway/haproxy";
import { AZURE_REGISTRY_TIERS } from "../components/registry/registry";
import { oneOf, wholeNumber } from "../services/spec";
import { firewallRangeProblem, networkProblem, proxyRangeProblem } from "./addressRanges";
import { resourceGroupProblem, subnetIdProblem, tagProblem } from "./azureNames";
import BASE_IMAGES from "./baseImages.json";
import { dnsZoneProblem } from "./https/dnsZone";
import { DATABASE_URL_HINT, databaseUrlProblem } from "./database/databaseUrl";
import { allowedHostProblem, domainProblem } from "./https/domainNames";
import {
  byService,
  exactImage,
  flag,
  isHttpUrl,
  list,
  mapping,
  plainText,
  optionalText,
  accepted,
  staffTokensByName,
  text,
  variables,
} from "./valueTypes";

/** User names that Azure rejects. @see https://learn.microsoft.com/azure/virtual-machines/linux/faq */
const AZURE_FORBIDDEN_USERS = new Set(
  (
    "1 123 a actuser adm admin admin1 admin2 administrator aspnet backup console david guest john owner root server sql " +
    "support support_388945a0 sys test test1 test2 test3 user user1 user2 user3 user4 user5 video"
  ).split(" "),
);

export const DEFAULT_ADDRESS_RANGE = "10.20.0.0/16";

const REGISTRY_FIELDS = "address, namespace, username, password, pullUsername, pullPassword";

const registry = v.strictObject(
  {
    address: v.optional(
      optionalText(
        /^[a-z0-9][a-z0-9.-]*(:\d{1,5})?$/,
        "a host name such as registry.example.com:5000",
      ),
      "",
    ),
    namespace: v.optional(
      text(/^([a-z0-9]+([._-][a-z0-9]+)*(\/|$))*$/, "a path such as team/store"),
      "",
    ),
    username: v.optional(v.string("should be text."), ""),
    password: v.optional(v.string("should be text."), ""),
    pullUsername: v.optional(v.string("should be text."), ""),
    pullPassword: v.optional(v.string("should be text."), ""),
  },
  ({ expected }) =>
    expected === "never"
      ? `isn't a field of the registry. The fields are: ${REGISTRY_FIELDS}.`
      : `should be {${REGISTRY_FIELDS}}.`,
);

const MACHINE = /^[A-Za-z0-9.:_-]+$/;
const MACHINE_HINT = "the name or address of the machine";
const LOGIN = /^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}$/;
const LOGIN_HINT = "the user to log in as";
// Not ssh-rsa: Pulumi's command provider asks for it with SHA-1 signatures, which OpenSSH refuses since version 8.8.
const HOST_KEY = /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/=]{60,}( .*)?$/;
const HOST_KEY_HINT =
  "the machine's public host key of the type ssh-ed25519 or ecdsa (ssh-keyscan -t ed25519 HOST prints it; compare it with /etc/ssh/ssh_host_ed25519_key.pub there)";

const worker = v.strictObject(
  {
    address: text(MACHINE, MACHINE_HINT),
    hostKey: text(HOST_KEY, HOST_KEY_HINT),
    port: v.optional(wholeNumber(1, 65_535), 22),
    user: v.optional(text(LOGIN, LOGIN_HINT)),
  },
  "should be {address, hostKey, port, user}.",
);

/**
 * Returns the schema of the stack's configuration: all keys, without the prefix `store:`. Pulumi.yaml describes each key, and
 * repeats its type and default for the engine; a test compares the two.
 *
 * An error message that starts with "should" is printed behind the value. An empty text means "not set".
 *
 * @param serviceNames Names of all services.
 */
export function configSchema(serviceNames: readonly string[]) {
  const service = v.pipe(
    v.string(),
    v.check(
      (name) => serviceNames.includes(name),
      ({ input }) => `there is no service "${input}". There are: ${serviceNames.join(", ")}.`,
    ),
  );
  return v.object({
    host: v.optional(oneOf(["local", "azure", "ssh"]), "local"),
    hosts: v.optional(wholeNumber(1, 20), 1),
    dockerHost: v.optional(v.string(), ""),
    httpPort: v.optional(wholeNumber(1, 65_535), 8080),
    domain: v.optional(v.pipe(v.string(), accepted(domainProblem)), ""),
    certificate: v.optional(v.string(), ""),
    acmeDirectory: v.optional(
      text(/^https:\/\/[^\s/"\\]+(\/[^\s"\\]*)?$/, `a directory such as ${DEFAULT_DIRECTORY}`),
      DEFAULT_DIRECTORY,
    ),
    acmeEmail: v.optional(
      optionalText(/^[^\s@"\\]+@[^\s@"\\]+$/, "an e-mail address, such as ops@example.org"),
      "",
    ),
    acmeRoot: v.optional(v.string(), ""),
    httpsPort: v.optional(wholeNumber(1, 65_535), 443),
    hstsSeconds: v.optional(wholeNumber(0, 100_000_000), 86_400),
    trustedProxies: v.optional(
      list(v.pipe(v.string(), accepted(proxyRangeProblem)), "address ranges"),
      [],
    ),
    allowedHosts: v.optional(
      list(v.pipe(v.string(), accepted(allowedHostProblem)), "host names, or [*] for any"),
      [],
    ),
    requestLimit: v.optional(wholeNumber(0, 1_000_000), 500),
    connectionLimit: v.optional(wholeNumber(0, 1_000_000), 500),
    services: v.optional(list(service, "services, such as [orders]"), []),
    servicesOnly: v.optional(flag(), false),
    live: v.optional(list(service, "services, such as [orders]"), []),
    // Half of the gateway's server slots: during an update, new replicas run beside the old ones.
    replicas: v.optional(
      byService(
        service,
        wholeNumber(1, MOST_INSTANCES / 2),
        "numbers by service, such as {orders: 2}",
      ),
      {},
    ),
    environment: v.optional(variables(service), {}),
    secrets: v.optional(variables(service), {}),
    databaseUrl: v.optional(
      byService(
        service,
        v.pipe(v.string(DATABASE_URL_HINT), accepted(databaseUrlProblem)),
        "URLs by service, such as {orders: postgres://…}",
      ),
      {},
    ),
    databaseRoot: v.optional(v.string(), ""),
    staffTokens: v.optional(staffTokensByName(), {}),
    otlpEndpoint: v.optional(
      v.pipe(v.string(), v.check(isHttpUrl, "should be a URL, such as http://collector:4318.")),
      "",
    ),
    demoData: v.optional(flag(), false),
    // Read by ./store only.
    stateBackend: v.optional(
      optionalText(
        /^[a-z0-9]+:\/\/.+/,
        "a Pulumi backend such as azblob://state?storage_account=NAME",
      ),
      "",
    ),
    nodeImage: v.optional(exactImage(), BASE_IMAGES.node),
    postgresImage: v.optional(exactImage(), BASE_IMAGES.postgres),
    haproxyImage: v.optional(exactImage(), BASE_IMAGES.haproxy),
    legoImage: v.optional(exactImage(), BASE_IMAGES.lego),
    registry: v.optional(registry, {}),
    azureRegistry: v.optional(oneOf(["", ...AZURE_REGISTRY_TIERS]), ""),
    adminCidrs: v.optional(
      list(v.pipe(v.string(), accepted(firewallRangeProblem)), "address ranges"),
      [],
    ),
    sshFromAnywhere: v.optional(flag(), false),
    location: v.optional(text(/^[a-z0-9]+$/, "a region such as australiaeast"), "australiaeast"),
    subscriptionId: v.optional(v.string(), ""),
    owner: v.optional(
      optionalText(/^[^<>%&\\?/]{1,256}$/, "the team or person responsible for the costs"),
      "",
    ),
    tags: v.optional(
      mapping(
        v.pipe(v.string(), accepted(tagProblem)),
        v.pipe(plainText(), v.maxLength(256, "should have at most 256 characters.")),
        "should be values by tag, such as {costCentre: retail}.",
      ),
      {},
    ),
    resourceGroup: v.optional(v.pipe(v.string(), accepted(resourceGroupProblem)), ""),
    subnetId: v.optional(v.pipe(v.string(), accepted(subnetIdProblem)), ""),
    addressRange: v.optional(v.pipe(v.string(), accepted(networkProblem)), DEFAULT_ADDRESS_RANGE),
    vmSize: v.optional(
      text(/^[A-Za-z]+_[A-Za-z0-9_-]+$/, "a size such as Standard_DS2_v2"),
      "Standard_DS2_v2",
    ),
    vmImage: v.optional(
      text(
        /^[^:\s]+:[^:\s]+:[^:\s]+:[^:\s]+$/,
        "publisher:offer:sku:version, such as Debian:debian-12:12-gen2:latest",
      ),
      "Debian:debian-12:12-gen2:latest",
    ),
    adminUser: v.optional(
      v.pipe(
        text(/^[a-z_][a-z0-9_-]{0,31}$/, "a Linux user name such as azureuser"),
        v.check(
          (name) => !AZURE_FORBIDDEN_USERS.has(name),
          "should be a user name that Azure allows, such as azureuser.",
        ),
      ),
      "azureuser",
    ),
    dnsLabel: v.optional(
      optionalText(
        /^[a-z][a-z0-9-]{1,61}[a-z0-9]$/,
        "3 to 63 lower-case letters, digits and hyphens",
      ),
      "",
    ),
    dnsZone: v.optional(v.pipe(v.string(), accepted(dnsZoneProblem)), ""),
    dataDiskGiB: v.optional(wholeNumber(4, 32_767), 32),
    dataDiskLock: v.optional(flag(), false),
    diskSnapshots: v.optional(flag(), false),
    dockerSource: v.optional(oneOf(["docker", "distribution"]), "docker"),
    dockerVersion: v.optional(v.string(), ""),
    readyMinutes: v.optional(wholeNumber(1, 120), 15),
    shutdownTime: v.optional(
      optionalText(/^([01]\d|2[0-3])[0-5]\d$/, "hours and minutes, such as 1900"),
      "",
    ),
    shutdownTimeZone: v.optional(
      text(/\S/, "a time zone of Windows, such as AUS Eastern Standard Time"),
      "AUS Eastern Standard Time",
    ),
    keep: v.optional(flag(), false),
    trustedLaunch: v.optional(flag(), false),
    encryptionAtHost: v.optional(flag(), false),
    sshPublicKey: v.optional(v.string(), ""),
    sshPrivateKey: v.optional(v.string(), ""),
    sshAddress: v.optional(optionalText(MACHINE, MACHINE_HINT), ""),
    sshPort: v.optional(wholeNumber(1, 65_535), 22),
    sshUser: v.optional(text(LOGIN, LOGIN_HINT), "root"),
    sshHostKey: v.optional(optionalText(HOST_KEY, HOST_KEY_HINT), ""),
    workers: v.optional(list(worker, "machines: {address, hostKey, port, user}"), []),
  });
}

type ConfigSchema = ReturnType<typeof configSchema>;

export type ConfigKey = keyof ConfigSchema["entries"];

/** Values of all keys, each valid by itself. */
export type ConfigValues = v.InferOutput<ConfigSchema>;
