import "./runtime/stackTraces";
import * as random from "@pulumi/random";
import { setTimeout as pause } from "node:timers/promises";
import { Store } from "./components/store";
import { readConfig } from "./config/config";
import { createHost } from "./components/host/createHost";
import { loadSpecs } from "./services";
import { source } from "./components/image/gitSource";

/** What runs where. Gives the stack's outputs. */
export async function program(): Promise<Record<string, unknown>> {
  const specs = loadSpecs();
  const config = readConfig(specs);

  const passwords = new random.Provider("passwords");
  const host = createHost(config.host, passwords);
  // The engine hears of these now and starts their plugins, while we are busy with the rest.
  await pause(PLUGINS_FIRST_MS);

  const store = new Store("store", {
    host,
    passwords,
    specs,
    running: config.enabledServices,
    live: config.devModeServices,
    replicas: config.replicas,
    images: config.images,
    source: source(),
    publish: host.registry && { registry: host.registry, builder: config.dockerHost },
    httpPort: config.httpPort,
    requestLimit: config.requestLimit,
    environment: config.environment,
    secrets: config.secrets,
    otlpEndpoint: config.otlpEndpoint,
    demoData: config.demoData,
  });

  return {
    url: store.url,
    // How the store command reaches the host: absent where that is this machine. A secret, since the key to log in is in it.
    ...(host.access && { access: host.access }),
    dockerHost: config.dockerHost,
    images: store.images,
    containers: store.containers,
    token: store.staffToken,
  };
}

/** Enough for the requests to leave this process. */
const PLUGINS_FIRST_MS = 10;
