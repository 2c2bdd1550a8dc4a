import * as pulumi from "@pulumi/pulumi";
import { homedir } from "node:os";
import { CliError } from "@store/docker/cliError";
import { type DockerEndpoint, resolveDockerEndpoint } from "@store/docker/endpoint";
import type { HostArgs } from "../components/host/createHost";
import { withDependencies } from "../services";
import { ServiceSpec } from "../services/spec";
import { ConfigError, Mistake } from "./configError";
import { hostArgs } from "./hostArgs";
import { checkRules } from "./rules";
import { ConfigKey, ConfigValues } from "./schema";
import { readValues } from "./values";

/** The stack's configuration, valid and in the form that the components take. */
export interface StoreConfig extends Pick<
  ConfigValues,
  "httpPort" | "requestLimit" | "connectionLimit" | "replicas" | "environment" | "demoData"
> {
  readonly host: HostArgs;
  /** Address of this machine's Docker daemon, which builds the images and runs a local store. */
  readonly dockerHost: string;
  /** Services to run, including dependencies; sorted. */
  readonly enabledServices: readonly string[];
  /** Enabled services in dev mode (`store:live`); sorted. */
  readonly devModeServices: readonly string[];
  /** Secrets by service and name. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, pulumi.Output<string>>>>>;
  /** OTLP/HTTP endpoint for traces. @default no traces */
  readonly otlpEndpoint: string | undefined;
  /** Third-party images by exact version. */
  readonly images: { readonly node: string; readonly postgres: string; readonly haproxy: string };
}

/**
 * Reads and validates the stack's configuration.
 *
 * @throws ConfigError with all mistakes.
 */
export function readConfig(specs: ReadonlyMap<string, ServiceSpec>): StoreConfig {
  const { values, mistakes } = readValues([...specs.keys()]);
  const enabledServices = enabled(values, specs);
  mistakes.push(...checkRules(values, enabledServices, mistakes));
  const docker = dockerEndpoint(values.dockerHost, mistakes);
  if (mistakes.length > 0) throw new ConfigError(mistakes);

  return {
    host: hostArgs(values, docker),
    dockerHost: docker.host,
    httpPort: values.httpPort,
    requestLimit: values.requestLimit,
    connectionLimit: values.connectionLimit,
    enabledServices,
    devModeServices: [...new Set(values.live)].sort(),
    replicas: values.replicas,
    environment: values.environment,
    secrets: asSecrets(values.secrets),
    otlpEndpoint: values.otlpEndpoint || undefined,
    demoData: values.demoData,
    images: {
      node: values.nodeImage,
      postgres: values.postgresImage,
      haproxy: values.haproxyImage,
    },
  };
}

function enabled(
  { services, servicesOnly }: ConfigValues,
  specs: ReadonlyMap<string, ServiceSpec>,
): string[] {
  if (servicesOnly) return [...new Set(services)].sort();
  return withDependencies(services.length > 0 ? services : [...specs.keys()], specs);
}

/** Finds the Docker daemon; adds a mistake if docker's own configuration names none. */
function dockerEndpoint(
  configured: string,
  mistakes: Mistake[],
): Pick<DockerEndpoint, "host" | "certPath"> {
  try {
    return resolveDockerEndpoint(process.env, homedir(), configured);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    mistakes.push({
      key: "dockerHost" satisfies ConfigKey,
      problem: `${error.message} ${error.hint} Or set the key.`,
    });
    return { host: "" };
  }
}

function asSecrets(values: ConfigValues["secrets"]): StoreConfig["secrets"] {
  const mapValues = <T, U>(object: Record<string, T>, change: (value: T) => U): Record<string, U> =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
  return mapValues(values, (secrets) => mapValues(secrets, (secret) => pulumi.secret(secret)));
}
