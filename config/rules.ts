import { isPublicKey, problemOfPrivateKey } from "../components/host/ssh/sshKeys";
import { addressCount, findOverlap } from "./addressRanges";
import { AZURE_RULES } from "./azureRules";
import { Mistake } from "./configError";
import { DATABASE_RULES } from "./database/databases";
import { DNS_ZONE_RULES } from "./https/dnsZone";
import { storeNames } from "./https/domainNames";
import { isPem } from "./https/pemValue";
import { requiredEnvironment } from "./requiredEnvironment";
import { configSet, type Rule, type Services, when } from "./rule";
import { ConfigValues } from "./schema";
import { isEncrypted } from "./values";

/** Checks what a single key's schema can't express. */
export function checkRules(
  values: ConfigValues,
  services: Services,
  mistakes: readonly Mistake[],
): Mistake[] {
  const invalid = new Set(mistakes.map(({ key }) => key.split(".")[0]));
  return RULES.filter(({ reads }) => !reads.some((key) => invalid.has(key))).flatMap(({ check }) =>
    check(values, services),
  );
}

const RULES: readonly Rule[] = [
  { reads: ["services", "servicesOnly"], check: servicesOnlyHasServices },
  { reads: ["services", "servicesOnly", "live"], check: servicesEnabled("live") },
  { reads: ["services", "servicesOnly", "replicas"], check: servicesEnabled("replicas") },
  { reads: ["environment"], check: environmentNotEncrypted },
  requiredEnvironment,
  { reads: ["secrets"], check: secretsEncrypted },
  { reads: ["environment", "secrets"], check: secretFileVariablesFree },
  ...DATABASE_RULES,
  { reads: ["host", "domain", "certificate"], check: certificateForDomain },
  { reads: ["certificate"], check: certificateEncrypted },
  {
    reads: ["host", "domain", "dnsLabel", "location", "httpPort", "httpsPort"],
    check: portsDiffer,
  },
  ...DNS_ZONE_RULES,
  { reads: ["host", "registry"], check: registryLoginComplete },
  { reads: ["host", "azureRegistry"], check: azureRegistryOnAzure },
  { reads: ["host", "registry", "azureRegistry"], check: oneRegistryOnAzure },
  { reads: ["host", "adminCidrs", "sshFromAnywhere"], check: adminCidrsOnAzure },
  ...AZURE_RULES,
  {
    reads: ["host", "owner"],
    check: required("azure", "owner", "the team or person responsible for the costs"),
  },
  { reads: ["host", "sshPublicKey", "sshPrivateKey"], check: loginKeyOnAzure },
  { reads: ["host", "sshPrivateKey"], check: loginKeyOnSsh },
  {
    reads: ["host", "sshAddress"],
    check: required("ssh", "sshAddress", "the name or address of the machine"),
  },
  {
    reads: ["host", "sshHostKey"],
    check: required("ssh", "sshHostKey", "the machine's public host key, which ssh-keyscan prints"),
  },
  { reads: ["host", "registry", "sshAddress", "workers"], check: workersOnSsh },
];

function namesIn(value: string[] | Record<string, unknown>): string[] {
  return Array.isArray(value) ? value : Object.keys(value);
}

function servicesEnabled(key: "live" | "replicas"): Rule["check"] {
  return (values, { enabledServices }) =>
    namesIn(values[key])
      .filter((name) => !enabledServices.includes(name))
      .map((name) => ({
        key,
        problem: `"${name}" doesn't run in this stack. Running: ${enabledServices.join(", ")} (see store:services).`,
      }));
}

function servicesOnlyHasServices({ services, servicesOnly }: ConfigValues): Mistake[] {
  return when(
    servicesOnly && services.length === 0,
    "servicesOnly",
    "is true, but store:services names none.",
  );
}

/** Everybody who can inspect a container sees its environment. */
function environmentNotEncrypted(): Mistake[] {
  return when(
    isEncrypted("environment"),
    "environment",
    "has an encrypted value, which everybody who can inspect the container would see. Move it to store:secrets.",
  );
}

/** `secret: true` in Pulumi.yaml can't be used: it would reject the default of an object, too. */
function secretsEncrypted({ secrets }: ConfigValues): Mistake[] {
  return when(
    Object.keys(secrets).length > 0 && !isEncrypted("secrets"),
    "secrets",
    `isn't encrypted. Remove it from the stack's file, then: ${configSet("--secret --path 'secrets.SERVICE.NAME' VALUE")}`,
  );
}

function secretFileVariablesFree({ environment, secrets }: ConfigValues): Mistake[] {
  return Object.entries(secrets).flatMap(([service, values]) =>
    Object.keys(values).flatMap((name) =>
      when(
        environment[service]?.[`${name}_FILE`] !== undefined,
        `environment.${service}.${name}_FILE`,
        `is set by the program, to the file of store:secrets.${service}.${name}. Remove the variable.`,
      ),
    ),
  );
}

function certificateForDomain({ host, domain, certificate }: ConfigValues): Mistake[] {
  return [
    ...when(
      host === "local" && domain !== "" && certificate === "",
      "domain",
      `needs a certificate: no authority reaches a store on your own machine to issue one. Set one that is valid for ${domain}, with its chain and private key (mkcert makes one for localhost: docs/https.md): ${configSet("--secret certificate < FILE")}`,
    ),
    ...when(
      domain === "" && certificate !== "",
      "certificate",
      `is set, but store:domain names no domain to use it for: ${configSet("domain NAME")}`,
    ),
  ];
}

/** The path of a file is no secret, and its content is encrypted by the program. */
function certificateEncrypted({ certificate }: ConfigValues): Mistake[] {
  return when(
    isPem(certificate) && !isEncrypted("certificate"),
    "certificate",
    `has the private key in clear. Remove it from the stack's file, request a certificate for a new key if others have seen it, then: ${configSet("--secret certificate < FILE")}`,
  );
}

function portsDiffer(values: ConfigValues): Mistake[] {
  const { httpPort, httpsPort } = values;
  return when(
    storeNames(values).length > 0 && httpPort === httpsPort,
    "httpsPort",
    `${httpsPort} is store:httpPort, too. HTTP and HTTPS need a port each.`,
  );
}

/** Without a username and a password, the user's own `docker login` is used; without a login for pulling, the one for pushing. */
function registryLoginComplete({ host, registry }: ConfigValues): Mistake[] {
  const { address, username, password, pullUsername, pullPassword } = registry;
  if (host === "local" || address === "") return [];
  return [
    ...when(
      (username === "") !== (password === ""),
      "registry",
      `${address} needs a username and a password, or neither to use your docker login: ${configSet("--path registry.username NAME")}; ${configSet("--secret --path registry.password PASSWORD")}`,
    ),
    ...when(
      (pullUsername === "") !== (pullPassword === ""),
      "registry",
      `${address} needs a pullUsername and a pullPassword, or neither for the host to pull with the login that pushes: ${configSet("--path registry.pullUsername NAME")}; ${configSet("--secret --path registry.pullPassword PASSWORD")}`,
    ),
  ];
}

function azureRegistryOnAzure({ host, azureRegistry }: ConfigValues): Mistake[] {
  return when(
    host === "ssh" && azureRegistry !== "",
    "azureRegistry",
    `creates a registry next to a VM in Azure, but store:host is ${host}. Name an existing registry: store:registry.`,
  );
}

function oneRegistryOnAzure({ host, registry, azureRegistry }: ConfigValues): Mistake[] {
  if (host !== "azure") return [];
  return [
    ...when(
      registry.address !== "" && azureRegistry !== "",
      "azureRegistry",
      "is set, and so is store:registry. Images are pushed to one of them: remove the other key.",
    ),
    ...when(
      registry.address === "" && azureRegistry === "",
      "registry",
      "is empty, but a VM in Azure pulls its images from a registry. Set its address, username and password: " +
        `${configSet("--path registry.address HOST")}; ${configSet("--path registry.username NAME")}; ` +
        `${configSet("--secret --path registry.password PASSWORD")}. ` +
        `Or let the stack create a registry: ${configSet("azureRegistry Basic")}`,
    ),
  ];
}

/** Those of the largest network that one organisation has (a /8), twice. */
const MOST_ADMIN_ADDRESSES = 2 ** 25;

function adminCidrsOnAzure({ host, adminCidrs, sshFromAnywhere }: ConfigValues): Mistake[] {
  if (host !== "azure") return [];
  const overlap = findOverlap(adminCidrs);
  return [
    ...(overlap
      ? [
          {
            key: "adminCidrs",
            problem: `${overlap.inner} is part of ${overlap.outer}. Remove it: Azure refuses overlapping ranges.`,
          },
        ]
      : []),
    ...when(
      adminCidrs.length === 0,
      "adminCidrs",
      "is empty, so nobody could log in. Set the address ranges from which SSH is allowed: " +
        configSet("--path 'adminCidrs[0]' 203.0.113.7/32"),
    ),
    ...when(
      addressCount(adminCidrs) > MOST_ADMIN_ADDRESSES && !sshFromAnywhere,
      "adminCidrs",
      `opens SSH to the whole internet, or most of it. Name the ranges that need it, or confirm: ${configSet("sshFromAnywhere true")}`,
    ),
  ];
}

function required(
  forHost: ConfigValues["host"],
  key: "owner" | "sshAddress" | "sshHostKey",
  expected: string,
): Rule["check"] {
  return (values) =>
    when(values.host === forHost && values[key] === "", key, `is empty; it should be ${expected}.`);
}

function loginKeyOnAzure({ host, sshPublicKey, sshPrivateKey }: ConfigValues): Mistake[] {
  if (host !== "azure" || (sshPublicKey === "" && sshPrivateKey === "")) return [];
  if (sshPublicKey === "" || sshPrivateKey === "") {
    const key = sshPublicKey === "" ? "sshPublicKey" : "sshPrivateKey";
    const problem =
      "is empty, but a login key is a pair: set both keys, or neither and the stack creates one.";
    return [{ key, problem }];
  }
  if (!/^(ssh-ed25519|ssh-rsa) /.test(sshPublicKey) || !isPublicKey(sshPublicKey)) {
    const problem =
      "isn't a public key that Azure accepts: ssh-ed25519 or ssh-rsa, as in a .pub file.";
    return [{ key: "sshPublicKey", problem }];
  }
  const problem = problemOfPrivateKey(sshPrivateKey, sshPublicKey);
  return problem === undefined ? [] : [{ key: "sshPrivateKey", problem }];
}

function workersOnSsh({ host, registry, sshAddress, workers }: ConfigValues): Mistake[] {
  const addresses = [sshAddress, ...workers.map(({ address }) => address)];
  const repeated = addresses.find((address, i) => addresses.indexOf(address) < i);
  return [
    ...when(
      host !== "ssh" && workers.length > 0,
      "workers",
      `names machines that are reached by SSH, but store:host is ${host}. Several machines need: ${configSet("host ssh")}`,
    ),
    ...when(
      host === "ssh" && workers.length > 0 && registry.address === "",
      "workers",
      `needs a registry, from which each machine pulls the images: ${configSet("--path registry.address registry.example.com")}`,
    ),
    ...when(
      host === "ssh" && repeated !== undefined,
      "workers",
      `names ${repeated} twice: the first machine is store:sshAddress, and each worker is another one.`,
    ),
  ];
}

function loginKeyOnSsh({ host, sshPrivateKey }: ConfigValues): Mistake[] {
  if (host !== "ssh") return [];
  const problem =
    sshPrivateKey === ""
      ? `is empty, but a host reached by SSH needs the key to log in with: ${configSet("--secret sshPrivateKey < FILE")}`
      : problemOfPrivateKey(sshPrivateKey);
  return problem === undefined ? [] : [{ key: "sshPrivateKey", problem }];
}
