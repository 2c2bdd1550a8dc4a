import "./runtime/stackTraces";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { createHost } from "./components/host/createHost";
import { source } from "./components/image/gitSource";
import { Store } from "./components/store";
import { readConfig } from "./config/config";
import { loadSpecs } from "./services";

/** The Pulumi program: creates the host and the store on it. Returns the stack's outputs. */
export function program(): Record<string, unknown> {
  const specs = loadSpecs();
  const config = readConfig(specs);
  for (const warning of config.warnings) void pulumi.log.warn(warning);

  const passwords = new random.Provider("passwords");
  const host = createHost(config.host, passwords);
  const store = new Store("store", {
    host,
    passwords,
    specs,
    enabledServices: config.enabledServices,
    devModeServices: config.devModeServices,
    replicas: config.replicas,
    images: config.images,
    source: source(),
    buildxBuilder: config.builder,
    publish: host.registry && {
      registry: host.registry,
      builder: { host: config.dockerHost, certPath: config.dockerCertPath },
    },
    httpPort: config.httpPort,
    https: config.https,
    trustedProxies: config.trustedProxies,
    allowedHosts: config.allowedHosts,
    requestLimit: config.requestLimit,
    connectionLimit: config.connectionLimit,
    environment: config.environment,
    secrets: config.secrets,
    externalDatabases: config.externalDatabases,
    staffTokens: config.staffTokens,
    otlpEndpoint: config.otlpEndpoint,
    demoData: config.demoData,
  });

  return {
    url: store.url,
    // Login for the store command. Secret: it contains the private key. Undefined for a local host.
    ...(host.access && { access: host.access }),
    dockerHost: config.dockerHost,
    images: store.images,
    containers: store.containers,
    ...(store.staffToken && { token: store.staffToken }),
  };
}
