import * as pulumi from "@pulumi/pulumi";
import { homedir } from "node:os";
import { MOST_INSTANCES } from "../components/gateway/haproxy";
import { ConfigError } from "./configError";
import { DockerHostError, localDockerHost } from "@store/docker/dockerHost";
import { HostConfig, readHostConfig } from "./hostConfig";
import { ServiceSpec } from "../services/spec";

/** The stack's configuration, read once and valid. Types and defaults of the keys stand in Pulumi.yaml. */
export interface StoreConfig {
  readonly host: HostConfig;
  /** Address of this machine's Docker daemon, on which a local store runs and images are built. */
  readonly dockerHost: string;
  readonly httpPort: number;
  readonly requestLimit: number;
  /** The services to run, with what they need. */
  readonly running: readonly string[];
  readonly live: readonly string[];
  readonly replicas: Readonly<Record<string, number>>;
  /** Variables by service and name. */
  readonly environment: ByService<string>;
  /** Secrets by service and name. */
  readonly secrets: ByService<pulumi.Output<string>>;
  /** Where traces go. */
  readonly otlpEndpoint?: string;
  readonly demoData: boolean;
  readonly images: { readonly node: string; readonly postgres: string; readonly haproxy: string };
}

/** Values by a service's name and a name of their own. */
export type ByService<T> = Readonly<Record<string, Readonly<Record<string, T>>>>;

/**
 * @throws ConfigError that names the key, the value and what would be right.
 */
export function readConfig(specs: ReadonlyMap<string, ServiceSpec>): StoreConfig {
  const config = new pulumi.Config("store");
  const names = [...specs.keys()];
  const host = readHostConfig(config);
  const dockerHost = config.get("dockerHost") || dockerHostInUse();

  const services = serviceNames("services", json(config, "services"), names);
  const running = config.requireBoolean("servicesOnly")
    ? services
    : withNeeds(services.length > 0 ? services : names, specs);
  const environment = plain(
    "environment",
    variables("environment", json(config, "environment"), names),
  );
  const secrets = secretFiles(encrypted("secrets", json(config, "secrets")), names, environment);
  return {
    host,
    dockerHost,
    httpPort: port("httpPort", config.requireNumber("httpPort")),
    requestLimit: wholeNumber("requestLimit", config.requireNumber("requestLimit"), 1_000_000),
    running: onlyWithServices(config.requireBoolean("servicesOnly"), running),
    live: runningOnly("live", serviceNames("live", json(config, "live"), names), running),
    replicas: replicas(json(config, "replicas"), running),
    environment,
    secrets,
    otlpEndpoint: httpUrl("otlpEndpoint", config.require("otlpEndpoint")),
    demoData: config.requireBoolean("demoData"),
    images: {
      node: exactVersion("nodeImage", config.require("nodeImage")),
      postgres: exactVersion("postgresImage", config.require("postgresImage")),
      haproxy: exactVersion("haproxyImage", config.require("haproxyImage")),
    },
  };
}

/** The services and, transitively, those that they need, sorted. */
export function withNeeds(
  services: readonly string[],
  specs: ReadonlyMap<string, ServiceSpec>,
): string[] {
  const found = new Set<string>();
  const add = (service: string): void => {
    if (found.has(service)) return;
    found.add(service);
    specs.get(service)?.needs?.forEach(add);
  };
  services.forEach(add);
  return [...found].sort();
}

/** The daemon that the docker command would use. */
function dockerHostInUse(): string {
  try {
    return localDockerHost(process.env, homedir()).host;
  } catch (error) {
    if (!(error instanceof DockerHostError)) throw error;
    throw new ConfigError("dockerHost", `${error.message} ${error.remedy} Or set the key.`);
  }
}

/** Lists and objects reach the program as JSON. */
function json(config: pulumi.Config, key: string): unknown {
  const text = config.require(key);
  try {
    return JSON.parse(text);
  } catch {
    // Checked, with its key's name, by who asked.
    return text;
  }
}

function httpUrl(key: string, value: string): string | undefined {
  if (value === "") return undefined;
  if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return value;
  throw new ConfigError(key, `"${value}" should be a URL, such as http://collector.example:4318.`);
}

function wholeNumber(key: string, value: number, most: number): number {
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new ConfigError(key, `${value} should be a whole number from 0 to ${most}.`);
  }
  return value;
}

function port(key: string, value: number): number {
  if (!Number.isInteger(value) || value < 1 || value > 65535) {
    throw new ConfigError(
      key,
      `${value} is not a port; it should be a whole number from 1 to 65535.`,
    );
  }
  return value;
}

function serviceNames(key: string, value: unknown, known: readonly string[]): string[] {
  if (!Array.isArray(value)) {
    throw new ConfigError(
      key,
      `${JSON.stringify(value)} should be a list of services, such as [${known[0]}].`,
    );
  }
  return [...new Set(value.map((name: unknown) => serviceName(key, String(name), known)))].sort();
}

function serviceName(key: string, name: string, known: readonly string[]): string {
  if (known.includes(name)) return name;
  throw new ConfigError(key, `there is no service "${name}". There are: ${known.join(", ")}.`);
}

function onlyWithServices(servicesOnly: boolean, running: string[]): string[] {
  if (servicesOnly && running.length === 0) {
    throw new ConfigError("servicesOnly", "is true, but store:services names none.");
  }
  return running;
}

function runningOnly(key: string, names: string[], running: readonly string[]): string[] {
  const absent = names.find((name) => !running.includes(name));
  if (absent !== undefined) {
    throw new ConfigError(
      key,
      `"${absent}" doesn't run in this stack. Running: ${running.join(", ")} (see store:services).`,
    );
  }
  return names;
}

function replicas(value: unknown, running: readonly string[]): Record<string, number> {
  // Half of what the gateway can follow, since a replacement runs beside what it replaces.
  const most = MOST_INSTANCES / 2;
  const counts = mapping("replicas", value, `numbers by service, such as {${running[0]}: 2}`);
  return mapEntries(counts, (name, count) => {
    serviceName("replicas", name, running);
    if (typeof count !== "number" || !Number.isInteger(count) || count < 1 || count > most) {
      throw new ConfigError(
        "replicas",
        `${name} is ${JSON.stringify(count)}; it should be a whole number from 1 to ${most}.`,
      );
    }
    return count;
  });
}

/** Variables of services. */
function variables(
  key: string,
  value: unknown,
  known: readonly string[],
): Record<string, Record<string, string>> {
  const example = `such as {${known[0]}: {NAME: value}}`;
  return mapEntries(mapping(key, value, `variables by service, ${example}`), (service, given) => {
    serviceName(key, service, known);
    const values = mapping(`${key}.${service}`, given, "values by variable's name");
    return mapEntries(values, (name, text) => {
      const where = `${key}.${service}.${name}`;
      if (!/^[A-Z][A-Z0-9_]*$/.test(name)) {
        throw new ConfigError(where, "a name has capital letters, digits and underscores only.");
      }
      if (OURS.test(name)) throw new ConfigError(where, "is set by the program itself.");
      if (!["string", "number", "boolean"].includes(typeof text)) {
        throw new ConfigError(where, `${shown(key, text)} should be text, a number or a flag.`);
      }
      return String(text);
    });
  });
}

/** What a service is told that the program has to know as well. */
const OURS =
  /^(PORT|DRAIN_SECONDS|GATEWAY_URL|STAFF_TOKEN(_FILE)?|DATABASE_(HOST|PORT|NAME|USER|PASSWORD)(_FILE)?)$/;

/** Refuses what was encrypted: as a variable, whoever may look at the container would see it. */
function plain<T>(key: string, value: T): T {
  if (!isEncrypted(key)) return value;
  throw new ConfigError(
    key,
    "has an encrypted value, which whoever may look at the container would see. Put it under store:secrets.",
  );
}

/** Refuses what wasn't encrypted. (`secret: true` in Pulumi.yaml would refuse the default of an object, too.) */
function encrypted(key: string, value: unknown): unknown {
  if (isEncrypted(key) || JSON.stringify(value) === "{}") return value;
  throw new ConfigError(
    key,
    `isn't encrypted. Take it out of the stack's file, then: ./store pulumi config set --secret --path '${key}.SERVICE.NAME' VALUE`,
  );
}

function isEncrypted(key: string): boolean {
  // The SDK asks the same variable but keeps the answer to itself.
  const keys: unknown = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] || "[]");
  return Array.isArray(keys) && keys.includes(`store:${key}`);
}

function secretFiles(
  value: unknown,
  known: readonly string[],
  environment: ByService<string>,
): Record<string, Record<string, pulumi.Output<string>>> {
  return mapEntries(variables("secrets", value, known), (service, secrets) =>
    mapEntries(secrets, (name, secret) => {
      if (environment[service]?.[`${name}_FILE`] !== undefined) {
        throw new ConfigError(
          `environment.${service}.${name}_FILE`,
          `is where store:secrets.${service}.${name} is to be found; leave it out.`,
        );
      }
      return pulumi.secret(secret);
    }),
  );
}

function mapping(key: string, value: unknown, expected: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigError(key, `${shown(key, value)} should be ${expected}.`);
  }
  return { ...value };
}

/** A value in a message. Secrets are in none. */
function shown(key: string, value: unknown): string {
  return /^secrets\b/.test(key) ? "what is there" : JSON.stringify(value);
}

function mapEntries<T, U>(
  object: Readonly<Record<string, T>>,
  change: (key: string, value: T) => U,
): Record<string, U> {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, change(key, value)]),
  );
}

/** Neither a moving tag nor none at all, so that the same configuration gives the same images everywhere. */
function exactVersion(key: string, ref: string): string {
  const tag = /:([^:/@]+)(@sha256:[0-9a-f]{64})?$/.exec(ref)?.[1];
  if (tag === undefined || !/\d+\.\d+/.test(tag)) {
    throw new ConfigError(
      key,
      `"${ref}" has no exact version. Name one, such as node:26.10.0-slim.`,
    );
  }
  return ref;
}
