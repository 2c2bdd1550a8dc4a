import * as pulumi from "@pulumi/pulumi";
import type { AzureHostArgs } from "../components/host/azure/azureHost";
import type { DockerSource } from "../components/host/azure/cloudInit";
import type { SshHostArgs } from "../components/host/ssh/sshHost";
import { isPublicKey, problemOfPrivateKey } from "../components/host/ssh/sshKeys";
import {
  AZURE_REGISTRY_TIERS,
  AzureRegistryTier,
  RegistryAccess,
} from "../components/registry/registry";
import { ConfigError } from "./configError";

/** Where the store runs, as the stack's configuration says it. */
export type HostConfig =
  | { readonly kind: "local" }
  | { readonly kind: "azure"; readonly azure: AzureHostConfig }
  | { readonly kind: "ssh"; readonly ssh: SshHostConfig };
type AzureHostConfig = Omit<AzureHostArgs, "providers">;
type SshHostConfig = Omit<SshHostArgs, "providers">;

/**
 * @throws ConfigError that names the key, the value and what would be right.
 */
export function readHostConfig(config: pulumi.Config): HostConfig {
  const kind = oneOf("host", config.require("host"), ["local", "azure", "ssh"]);
  if (kind === "local") return { kind };
  const tier = azureRegistryTier(config);
  if (kind !== "azure" && tier !== undefined) {
    throw new ConfigError(
      "azureRegistry",
      `makes a registry next to a VM in Azure, and store:host is ${kind}. Name a registry that there is: store:registry.`,
    );
  }
  const registry = readRegistry(config);
  if (kind === "ssh") return { kind, ssh: readSsh(config, registry) };
  if (registry !== undefined && tier !== undefined) {
    throw new ConfigError(
      "azureRegistry",
      "is set, and so is store:registry: images go to one of them. Take the other one out.",
    );
  }
  const chosen = registry ?? (tier && { tier });
  if (chosen === undefined) {
    throw new ConfigError(
      "registry",
      "a VM in Azure pulls its images from a registry, and none is named. Set its address, username and password: " +
        "pulumi config set --path registry.address HOST, …registry.username NAME, --secret --path registry.password PASSWORD; " +
        "or have the stack make one: pulumi config set azureRegistry Basic",
    );
  }
  return { kind, azure: readAzure(config, chosen) };
}

function azureRegistryTier(config: pulumi.Config): AzureRegistryTier | undefined {
  const tier = config.require("azureRegistry");
  return tier === "" ? undefined : oneOf("azureRegistry", tier, AZURE_REGISTRY_TIERS);
}

function readAzure(config: pulumi.Config, registry: AzureHostArgs["registry"]): AzureHostConfig {
  return {
    subscriptionId: config.get("subscriptionId") || undefined,
    location: text(config, "location", /^[a-z0-9]+$/, "a region of Azure such as australiaeast"),
    vmSize: text(config, "vmSize", /^[A-Za-z]+_[A-Za-z0-9_-]+$/, "a size such as Standard_DS2_v2"),
    vmImage: text(
      config,
      "vmImage",
      /^[^:\s]+:[^:\s]+:[^:\s]+:[^:\s]+$/,
      "publisher:offer:sku:version, such as Debian:debian-12:12-gen2:latest",
    ),
    adminUser: adminUser(config.require("adminUser")),
    adminCidrs: adminCidrs(config),
    addressRange: addressRange(config.require("addressRange")),
    dnsLabel: optional(
      config,
      "dnsLabel",
      /^[a-z][a-z0-9-]{1,61}[a-z0-9]$/,
      "3 to 63 small letters, digits and hyphens",
    ),
    loginKey: loginKey(config),
    dataDiskGiB: wholeNumber(config, "dataDiskGiB", 4, 32_767),
    docker: {
      source: oneOf<DockerSource>("dockerSource", config.require("dockerSource"), [
        "docker",
        "distribution",
      ]),
      version: config.get("dockerVersion") || undefined,
    },
    readyMinutes: wholeNumber(config, "readyMinutes", 1, 120),
    shutdown: shutdown(config),
    trustedLaunch: config.requireBoolean("trustedLaunch"),
    encryptionAtHost: config.requireBoolean("encryptionAtHost"),
    owner: text(
      config,
      "owner",
      /^[^<>%&\\?/]{1,256}$/,
      "who is asked about what this costs, a team or a person",
    ),
    registry,
  };
}

function readSsh(config: pulumi.Config, registry: RegistryAccess | undefined): SshHostConfig {
  const privateKey = secretText(config, "sshPrivateKey");
  if (privateKey === "") {
    throw new ConfigError(
      "sshPrivateKey",
      "a host that is reached by SSH needs the key to log in with: pulumi config set --secret sshPrivateKey < FILE",
    );
  }
  const problem = problemOfPrivateKey(privateKey);
  if (problem !== undefined) throw new ConfigError("sshPrivateKey", problem);
  return {
    address: text(config, "sshAddress", /^[A-Za-z0-9.:_-]+$/, "the name or address of the machine"),
    port: wholeNumber(config, "sshPort", 1, 65_535),
    user: text(config, "sshUser", /^[a-z_][a-z0-9_-]{0,31}$/, "the user to log in as"),
    hostKey: text(
      config,
      "sshHostKey",
      PUBLIC_KEY,
      "the machine's public host key (ssh-keyscan prints it; compare it with /etc/ssh/ssh_host_ed25519_key.pub there)",
    ),
    privateKey: pulumi.secret(privateKey),
    readyMinutes: wholeNumber(config, "readyMinutes", 1, 120),
    registry,
  };
}

interface RegistryConfig {
  readonly address?: unknown;
  readonly namespace?: unknown;
  readonly username?: unknown;
  readonly password?: unknown;
}

function readRegistry(config: pulumi.Config): RegistryAccess | undefined {
  const plain = registryObject(secretText(config, "registry") || "{}");
  const { address, namespace = "", username, password } = plain;
  if (address === undefined) return undefined;
  if (typeof address !== "string" || !/^[a-z0-9][a-z0-9.-]*(:\d{1,5})?$/.test(address)) {
    throw new ConfigError(
      "registry",
      `address is ${JSON.stringify(address)}; it should be a host name such as registry.example.com:5000.`,
    );
  }
  if (typeof namespace !== "string" || !/^([a-z0-9]+([._-][a-z0-9]+)*(\/|$))*$/.test(namespace)) {
    throw new ConfigError(
      "registry",
      `namespace is ${JSON.stringify(namespace)}; it should be small letters, such as team/store.`,
    );
  }
  if (
    typeof username !== "string" ||
    typeof password !== "string" ||
    username === "" ||
    password === ""
  ) {
    throw new ConfigError(
      "registry",
      `${address} needs a username and a password: pulumi config set --path registry.username NAME, then --secret --path registry.password PASSWORD`,
    );
  }
  return {
    address,
    namespace: namespace.replace(/\/$/, ""),
    push: { username, password: pulumi.secret(password) },
    pull: { username, password: pulumi.secret(password) },
  };
}

function registryObject(json: string): RegistryConfig {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = json;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigError("registry", "should be {address, namespace, username, password}.");
  }
  return value;
}

/** A key that is secret, or has a secret in it, for looking at its form. `Config.get` would warn of it each time. */
function secretText(config: pulumi.Config, key: string): string {
  return pulumi.runtime.getConfig(`${config.name}:${key}`) ?? "";
}

const PUBLIC_KEY =
  /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/=]{60,}( .*)?$/;

function loginKey(config: pulumi.Config): AzureHostArgs["loginKey"] {
  const publicKey = config.get("sshPublicKey") ?? "";
  const privateKey = secretText(config, "sshPrivateKey");
  if (publicKey === "" && privateKey === "") return undefined;
  if (publicKey === "" || privateKey === "") {
    throw new ConfigError(
      publicKey === "" ? "sshPublicKey" : "sshPrivateKey",
      "a login key of your own is a pair: set both, or neither, and one is made.",
    );
  }
  if (!/^(ssh-ed25519|ssh-rsa) /.test(publicKey) || !isPublicKey(publicKey)) {
    throw new ConfigError(
      "sshPublicKey",
      "isn't a public key that Azure takes: ssh-ed25519 or ssh-rsa, as in a .pub file.",
    );
  }
  const problem = problemOfPrivateKey(privateKey, publicKey);
  if (problem !== undefined) throw new ConfigError("sshPrivateKey", problem);
  return { public: publicKey.trim(), private: pulumi.secret(privateKey) };
}

/** Names that Azure refuses for an administrator. @see https://learn.microsoft.com/azure/virtual-machines/linux/faq */
const FORBIDDEN_USERS =
  "1 123 a actuser adm admin admin1 admin2 administrator aspnet backup console david guest john owner root server sql support support_388945a0 sys test test1 test2 test3 user user1 user2 user3 user4 user5".split(
    " ",
  );

function adminUser(name: string): string {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(name) && !FORBIDDEN_USERS.includes(name)) return name;
  throw new ConfigError(
    "adminUser",
    `"${name}" is no name that Azure takes for an administrator; azureuser is one.`,
  );
}

function adminCidrs(config: pulumi.Config): string[] {
  const value: unknown = JSON.parse(config.require("adminCidrs"));
  const cidrs = Array.isArray(value) ? value.map(String) : [];
  if (cidrs.length === 0) {
    throw new ConfigError(
      "adminCidrs",
      "nobody could log in: name the address ranges from which SSH is possible, such as 203.0.113.7/32: " +
        "pulumi config set --path 'adminCidrs[0]' 203.0.113.7/32",
    );
  }
  const wrong = cidrs.find((cidr) => !isCidr(cidr));
  if (wrong !== undefined) {
    throw new ConfigError(
      "adminCidrs",
      `"${wrong}" is no range of addresses; one looks like 203.0.113.0/24.`,
    );
  }
  if (cidrs.some((cidr) => cidr.endsWith("/0")) && !config.requireBoolean("sshFromAnywhere")) {
    throw new ConfigError(
      "adminCidrs",
      "opens SSH to the whole world. Name the ranges that need it, or say that you mean it: pulumi config set sshFromAnywhere true",
    );
  }
  return cidrs;
}

/** Azure's networks have 8 addresses at least, and no bits beyond their own. */
function addressRange(text: string): string {
  const [address = "", bits = ""] = isCidr(text) ? text.split("/") : [];
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  if (
    address !== "" &&
    Number(bits) >= 8 &&
    Number(bits) <= 29 &&
    number % 2 ** (32 - Number(bits)) === 0
  )
    return text;
  throw new ConfigError("addressRange", `"${text}" should be a network such as 10.20.0.0/16.`);
}

function isCidr(text: string): boolean {
  const [, address = "", bits = ""] = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(text) ?? [];
  return (
    address !== "" && address.split(".").every((part) => Number(part) <= 255) && Number(bits) <= 32
  );
}

function shutdown(config: pulumi.Config): AzureHostArgs["shutdown"] {
  const time = optional(
    config,
    "shutdownTime",
    /^([01]\d|2[0-3])[0-5]\d$/,
    "hours and minutes, such as 1900",
  );
  if (time === undefined) return undefined;
  return {
    time,
    timeZone: text(
      config,
      "shutdownTimeZone",
      /\S/,
      "a time zone of Windows, such as AUS Eastern Standard Time",
    ),
  };
}

function optional(
  config: pulumi.Config,
  key: string,
  form: RegExp,
  meaning: string,
): string | undefined {
  return config.get(key) ? text(config, key, form, meaning) : undefined;
}

function text(config: pulumi.Config, key: string, form: RegExp, meaning: string): string {
  const value = config.get(key) ?? "";
  if (form.test(value)) return value;
  throw new ConfigError(
    key,
    value === "" ? `is empty; it should be ${meaning}.` : `"${value}" should be ${meaning}.`,
  );
}

function wholeNumber(config: pulumi.Config, key: string, least: number, most: number): number {
  const value = config.requireNumber(key);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new ConfigError(key, `${value} should be a whole number from ${least} to ${most}.`);
}

export function oneOf<T extends string>(key: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined)
    throw new ConfigError(key, `"${value}" is none of ${allowed.join(", ")}.`);
  return found;
}
