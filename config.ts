import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { MOST_INSTANCES } from "./components/haproxy";
import { ServiceSpec } from "./services/spec";

/** The stack's configuration, read once and valid. Types and defaults of the keys stand in Pulumi.yaml. */
export interface StoreConfig {
  readonly host: "local" | "azure";
  readonly dockerHost: string;
  readonly httpPort: number;
  /** The services to run, with what they need. */
  readonly running: readonly string[];
  readonly live: readonly string[];
  readonly replicas: Readonly<Record<string, number>>;
  readonly demoData: boolean;
  readonly images: { readonly node: string; readonly postgres: string; readonly haproxy: string };
}

/**
 * @throws ConfigError that names the key, the value and what would be right.
 */
export function readConfig(specs: ReadonlyMap<string, ServiceSpec>): StoreConfig {
  const config = new pulumi.Config("store");
  const names = [...specs.keys()];

  const services = serviceNames("services", json(config, "services"), names);
  const running = config.requireBoolean("servicesOnly")
    ? services
    : withNeeds(services.length > 0 ? services : names, specs);
  return {
    host: oneOf("host", config.require("host"), ["local", "azure"]),
    dockerHost: config.get("dockerHost") || localDockerHost(process.env, homedir()),
    httpPort: port("httpPort", config.requireNumber("httpPort")),
    running: onlyWithServices(config.requireBoolean("servicesOnly"), running),
    live: runningOnly("live", serviceNames("live", json(config, "live"), names), running),
    replicas: replicas(json(config, "replicas"), running),
    demoData: config.requireBoolean("demoData"),
    images: {
      node: exactVersion("nodeImage", config.require("nodeImage")),
      postgres: exactVersion("postgresImage", config.require("postgresImage")),
      haproxy: exactVersion("haproxyImage", config.require("haproxyImage")),
    },
  };
}

/** Says which key is wrong. Pulumi prints it without a stack trace. */
export class ConfigError extends pulumi.RunError {
  constructor(key: string, problem: string) {
    super(`store:${key}: ${problem}`);
  }
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

/**
 * Where the docker command would go: DOCKER_HOST, else the context that is in use, else the usual socket.
 *
 * @see https://docs.docker.com/engine/manage-resources/contexts/
 */
export function localDockerHost(env: NodeJS.ProcessEnv, home: string): string {
  if (env["DOCKER_HOST"]) return env["DOCKER_HOST"];
  const folder = env["DOCKER_CONFIG"] ?? join(home, ".docker");
  const context =
    env["DOCKER_CONTEXT"] ?? readJson(join(folder, "config.json"))?.["currentContext"];
  if (typeof context !== "string" || context === "" || context === "default") return DEFAULT_SOCKET;

  const id = createHash("sha256").update(context).digest("hex");
  const meta = readJson(join(folder, "contexts", "meta", id, "meta.json"));
  const endpoints = meta?.["Endpoints"] as
    Record<string, { Host?: unknown } | undefined> | undefined;
  const host = endpoints?.["docker"]?.Host;
  if (typeof host !== "string") {
    throw new ConfigError(
      "dockerHost",
      `the docker context "${context}" is in use but has no address. Set the key, or choose a context by "docker context use".`,
    );
  }
  return host;
}

const DEFAULT_SOCKET = "unix:///var/run/docker.sock";

function readJson(path: string): Record<string, unknown> | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    // No such file: docker was never configured here.
    return undefined;
  }
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new ConfigError(
      "dockerHost",
      `${path} is not valid JSON. Mend that file, or set the key.`,
    );
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

function oneOf<T extends string>(key: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined)
    throw new ConfigError(key, `"${value}" is none of ${allowed.join(", ")}.`);
  return found;
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
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigError(
      "replicas",
      `${JSON.stringify(value)} should be numbers by service, such as {${running[0]}: 2}.`,
    );
  }
  // Half of what the gateway can follow, since a replacement runs beside what it replaces.
  const most = MOST_INSTANCES / 2;
  return Object.fromEntries(
    Object.entries(value).map(([name, count]: [string, unknown]) => {
      serviceName("replicas", name, running);
      if (typeof count !== "number" || !Number.isInteger(count) || count < 1 || count > most) {
        throw new ConfigError(
          "replicas",
          `${name} is ${JSON.stringify(count)}; it should be a whole number from 1 to ${most}.`,
        );
      }
      return [name, count];
    }),
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
