import { z } from "zod";
import { MOST_INSTANCES } from "../components/gateway/haproxy";
import { AZURE_REGISTRY_TIERS } from "../components/registry/registry";
import { oneOf, wholeNumber } from "../services/spec";
import {
  byService,
  exactImage,
  flag,
  isAzureNetwork,
  isHttpUrl,
  list,
  optionalText,
  text,
  variables,
} from "./valueTypes";

/**
 * The keys of the stack's configuration, without the prefix `store:`. Pulumi.yaml describes each key, and
 * repeats its type and default for the engine; a test compares the two.
 *
 * An error message that starts with "should" is printed behind the value. An empty text means "not set".
 */
export const ConfigSchema = z.object({
  host: oneOf(["local", "azure", "ssh"]).default("local"),
  dockerHost: z.string().default(""),
  httpPort: wholeNumber(1, 65_535).default(8080),
  requestLimit: wholeNumber(0, 1_000_000).default(500),
  services: list(z.string(), "services, such as [orders]").default([]),
  servicesOnly: flag().default(false),
  live: list(z.string(), "services, such as [orders]").default([]),
  replicas: byService(
    // Half of the gateway's server slots: during an update, new replicas run beside the old ones.
    wholeNumber(1, MOST_INSTANCES / 2),
    "numbers by service, such as {orders: 2}",
  ).default({}),
  environment: variables().prefault({}),
  secrets: variables().prefault({}),
  otlpEndpoint: z
    .string()
    .refine(isHttpUrl, "should be a URL, such as http://collector.example:4318.")
    .default(""),
  demoData: flag().default(false),
  nodeImage: exactImage().default("node:26.10.0-slim"),
  postgresImage: exactImage().default("postgres:18.4"),
  haproxyImage: exactImage().default("haproxy:3.0.11"),
  registry: z
    .object(
      {
        address: optionalText(
          /^[a-z0-9][a-z0-9.-]*(:\d{1,5})?$/,
          "a host name such as registry.example.com:5000",
        ).default(""),
        namespace: text(
          /^([a-z0-9]+([._-][a-z0-9]+)*(\/|$))*$/,
          "a path such as team/store",
        ).default(""),
        username: z.string("should be text.").default(""),
        password: z.string("should be text.").default(""),
      },
      "should be {address, namespace, username, password}.",
    )
    .prefault({}),
  azureRegistry: oneOf(["", ...AZURE_REGISTRY_TIERS]).default(""),
  adminCidrs: list(
    z.cidrv4("should be an address range such as 203.0.113.0/24."),
    "address ranges",
  ).default([]),
  sshFromAnywhere: flag().default(false),
  location: text(/^[a-z0-9]+$/, "a region of Azure such as australiaeast").default("australiaeast"),
  subscriptionId: z.string().default(""),
  owner: optionalText(
    /^[^<>%&\\?/]{1,256}$/,
    "the team or person responsible for the costs",
  ).default(""),
  addressRange: z
    .string()
    .refine(isAzureNetwork, "should be a network such as 10.20.0.0/16.")
    .default("10.20.0.0/16"),
  vmSize: text(/^[A-Za-z]+_[A-Za-z0-9_-]+$/, "a size such as Standard_DS2_v2").default(
    "Standard_DS2_v2",
  ),
  vmImage: text(
    /^[^:\s]+:[^:\s]+:[^:\s]+:[^:\s]+$/,
    "publisher:offer:sku:version, such as Debian:debian-12:12-gen2:latest",
  ).default("Debian:debian-12:12-gen2:latest"),
  adminUser: text(/^[a-z_][a-z0-9_-]{0,31}$/, "a Linux user name such as azureuser")
    .refine(
      (name) => !AZURE_FORBIDDEN_USERS.has(name),
      "should be a user name that Azure allows, such as azureuser.",
    )
    .default("azureuser"),
  dnsLabel: optionalText(
    /^[a-z][a-z0-9-]{1,61}[a-z0-9]$/,
    "3 to 63 lower-case letters, digits and hyphens",
  ).default(""),
  dataDiskGiB: wholeNumber(4, 32_767).default(32),
  dockerSource: oneOf(["docker", "distribution"]).default("docker"),
  dockerVersion: z.string().default(""),
  readyMinutes: wholeNumber(1, 120).default(15),
  shutdownTime: optionalText(/^([01]\d|2[0-3])[0-5]\d$/, "hours and minutes, such as 1900").default(
    "",
  ),
  shutdownTimeZone: text(/\S/, "a time zone of Windows, such as AUS Eastern Standard Time").default(
    "AUS Eastern Standard Time",
  ),
  trustedLaunch: flag().default(false),
  encryptionAtHost: flag().default(false),
  sshPublicKey: z.string().default(""),
  sshPrivateKey: z.string().default(""),
  sshAddress: optionalText(/^[A-Za-z0-9.:_-]+$/, "the name or address of the machine").default(""),
  sshPort: wholeNumber(1, 65_535).default(22),
  sshUser: text(/^[a-z_][a-z0-9_-]{0,31}$/, "the user to log in as").default("root"),
  sshHostKey: optionalText(
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/=]{60,}( .*)?$/,
    "the machine's public host key (ssh-keyscan prints it; compare it with /etc/ssh/ssh_host_ed25519_key.pub there)",
  ).default(""),
});

export type ConfigKey = keyof typeof ConfigSchema.shape;

/** Values of all keys, each valid by itself. */
export type ConfigValues = z.output<typeof ConfigSchema>;

/** User names that Azure rejects. @see https://learn.microsoft.com/azure/virtual-machines/linux/faq */
const AZURE_FORBIDDEN_USERS = new Set(
  (
    "1 123 a actuser adm admin admin1 admin2 administrator aspnet backup console david guest john owner root server sql " +
    "support support_388945a0 sys test test1 test2 test3 user user1 user2 user3 user4 user5"
  ).split(" "),
);
