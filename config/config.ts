import * as pulumi from "@pulumi/pulumi";
import { homedir } from "node:os";
import { CliError } from "@store/docker/cliError";
import { currentContext, type DockerEndpoint, resolveDockerEndpoint } from "@store/docker/endpoint";
import { registryOf, type UserLogin, userLogin } from "@store/docker/registryLogin";
import type { HostArgs } from "../components/host/createHost";
import { FIRST_TOKEN } from "../components/staffTokens";
import type { StoreArgs } from "../components/storeArgs";
import { withDependencies } from "../services";
import { ServiceSpec } from "../services/spec";
import { ConfigError, Mistake } from "./configError";
import { databaseWarnings, externalDatabases } from "./database/databases";
import { hostArgs } from "./hostArgs";
import { dnsZoneWarnings } from "./https/dnsZone";
import { httpsConfig, type HttpsConfig } from "./https/https";
import { plainSecrets } from "./warnings/plainSecrets";
import { checkRules } from "./rules";
import { ConfigKey, ConfigValues } from "./schema";
import { unreachableAddresses } from "./warnings/unreachableAddresses";
import { usedImage } from "./usedImage";
import { readStackFile, readValues } from "./values";

/** The stack's configuration, valid and in the form that the components take. */
export interface StoreConfig extends Pick<
  ConfigValues,
  | "httpPort"
  | "trustedProxies"
  | "allowedHosts"
  | "requestLimit"
  | "connectionLimit"
  | "replicas"
  | "environment"
  | "demoData"
  | "staffTokens"
> {
  readonly host: HostArgs;
  /** Address of this machine's Docker daemon, which builds the images and runs a local store. */
  readonly dockerHost: string;
  /** Folder with the client's TLS certificates for that daemon. Undefined without TLS. */
  readonly dockerCertPath?: string;
  /** Name of buildx' builder that builds with this daemon, whatever builder is current. */
  readonly builder: string;
  readonly https: HttpsConfig["https"];
  /** Problems that don't prevent an `up`, as "store:KEY: PROBLEM". */
  readonly warnings: readonly string[];
  /** Services to run, including dependencies; sorted. */
  readonly enabledServices: readonly string[];
  /** Enabled services in dev mode (`store:live`); sorted. */
  readonly devModeServices: readonly string[];
  /** Secrets by service and name. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, pulumi.Output<string>>>>>;
  /** Databases on other servers, by service. */
  readonly externalDatabases: StoreArgs["externalDatabases"];
  /** OTLP/HTTP endpoint for traces. @default no traces */
  readonly otlpEndpoint: string | undefined;
  /** Third-party images by exact version. */
  readonly images: StoreArgs["images"];
}

/**
 * Reads and validates the stack's configuration.
 *
 * @throws ConfigError with all mistakes.
 */
export function readConfig(specs: ReadonlyMap<string, ServiceSpec>): StoreConfig {
  requireBuildKit();
  const file = readStackFile();
  const { values, mistakes } = readValues([...specs.keys()], file);
  const enabledServices = enabled(values, specs);
  mistakes.push(...checkRules(values, { enabledServices, specs }, mistakes));
  mistakes.push(...missingFirstToken(values, enabledServices, specs));
  const hosts = enabledServices.flatMap((service) => specs.get(service)?.hosts ?? []);
  const { https, warnings } = httpsConfig(values, hosts, mistakes);
  const docker = dockerEndpoint(values, mistakes);
  if (mistakes.length > 0) throw new ConfigError(mistakes);

  return {
    host: hostArgs(values, docker, docker.logins, hosts),
    dockerHost: docker.host,
    dockerCertPath: docker.certPath,
    builder: docker.builder,
    httpPort: values.httpPort,
    https,
    warnings: [
      ...warnings,
      ...dnsZoneWarnings(values, hosts),
      ...plainSecrets(values, file),
      ...databaseWarnings(values),
      ...unreachableAddresses(values, { enabledServices, specs }),
    ],
    trustedProxies: values.trustedProxies,
    allowedHosts: values.allowedHosts,
    requestLimit: values.requestLimit,
    connectionLimit: values.connectionLimit,
    enabledServices,
    devModeServices: [...new Set(values.live)].sort(),
    replicas: values.replicas,
    environment: values.environment,
    secrets: asSecrets(values.secrets),
    externalDatabases: externalDatabases(values),
    otlpEndpoint: values.otlpEndpoint || undefined,
    demoData: values.demoData,
    staffTokens: values.staffTokens,
    images: {
      node: usedImage(values.nodeImage),
      postgres: usedImage(values.postgresImage),
      haproxy: usedImage(values.haproxyImage),
      lego: usedImage(values.legoImage),
    },
  };
}

/** Finds services whose spec has the first token itself, although the configuration replaces or removes it. */
function missingFirstToken(
  { staffTokens }: ConfigValues,
  enabledServices: readonly string[],
  specs: ReadonlyMap<string, ServiceSpec>,
): Mistake[] {
  if (staffTokens[FIRST_TOKEN] === undefined) return [];
  return enabledServices
    .filter((service) => specs.get(service)?.secrets?.includes("STAFF_TOKEN"))
    .map((service) => ({
      key: `staffTokens.${FIRST_TOKEN}`,
      problem: `the service ${service} reads the stack's first token itself, which isn't valid any more. Let it read STAFF_TOKENS instead: docs/adding-a-service.md.`,
    }));
}

function enabled(
  { services, servicesOnly }: ConfigValues,
  specs: ReadonlyMap<string, ServiceSpec>,
): string[] {
  if (servicesOnly) return [...new Set(services)].sort();
  return withDependencies(services.length > 0 ? services : [...specs.keys()], specs);
}

interface Docker extends Pick<DockerEndpoint, "host" | "certPath"> {
  readonly builder: string;
  /** The user's logins at the registries from which the stack's host pulls. */
  readonly logins: readonly UserLogin[];
}

/** Finds the Docker daemon, its builder and the user's logins; adds a mistake if docker's own configuration is invalid. */
function dockerEndpoint(values: ConfigValues, mistakes: Mistake[]): Docker {
  try {
    const endpoint = resolveDockerEndpoint(process.env, homedir(), values.dockerHost);
    const builder = currentContext(process.env, homedir());
    mistakes.push(...buildsElsewhere(endpoint.host, values), ...mountsElsewhere(endpoint, values));
    const logins = registries(values).flatMap(
      (registry) => userLogin(registry, process.env, homedir()) ?? [],
    );
    return { ...endpoint, builder, logins };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    mistakes.push({
      key: "dockerHost" satisfies ConfigKey,
      problem: `${error.message} ${error.hint} Or set the key.`,
    });
    return { host: "", builder: "", logins: [] };
  }
}

/**
 * The docker provider builds with the daemon of the engine's environment, which `./store` sets. With plain `pulumi up`, that daemon and
 * the stack's may differ.
 */
function buildsElsewhere(dockerHost: string, values: ConfigValues): Mistake[] {
  if (values.host !== "local" || pulumi.runtime.isDryRun()) return [];
  const ambient = resolveDockerEndpoint(process.env, homedir());
  if (ambient.host === dockerHost) return [];
  return [
    {
      key: "dockerHost" satisfies ConfigKey,
      problem: `the store runs at ${dockerHost}, but Pulumi would build its images at ${ambient.host} (${ambient.hostFrom}). Run ./store up, or set DOCKER_HOST=${dockerHost}.`,
    },
  ];
}

/** Docker would mount empty folders of its own machine in place of the sources, without an error. */
function mountsElsewhere({ host, hostFrom }: DockerEndpoint, values: ConfigValues): Mistake[] {
  if (values.host !== "local" || values.live.length === 0 || !host.startsWith("ssh:")) return [];
  return [
    {
      key: "live" satisfies ConfigKey,
      problem: `mounts the sources of this machine, but Docker runs on another one: ${host} (${hostFrom}). Remove the key, or run the services from source on this machine: ./store services ${values.live.join(" ")}`,
    },
  ];
}

/** @throws RunError if BuildKit, which the Dockerfiles need, is disabled. `./store` removes the variable. */
function requireBuildKit(): void {
  if (!/^(0|f|false)$/i.test(process.env["DOCKER_BUILDKIT"] ?? "")) return;
  throw new pulumi.RunError(
    "DOCKER_BUILDKIT in the environment disables BuildKit, which the images need. Unset it, or run ./store up.",
  );
}

/** Addresses of the registries from which the stack's host pulls by the user's own login. */
function registries({ host, registry, postgresImage, haproxyImage }: ConfigValues): string[] {
  if (host === "local") return [...new Set([postgresImage, haproxyImage].map(registryOf))];
  const { address, username, pullUsername } = registry;
  return address !== "" && username === "" && pullUsername === "" ? [address] : [];
}

function asSecrets(values: ConfigValues["secrets"]): StoreConfig["secrets"] {
  const mapValues = <T, U>(object: Record<string, T>, change: (value: T) => U): Record<string, U> =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
  return mapValues(values, (secrets) => mapValues(secrets, (secret) => pulumi.secret(secret)));
}
