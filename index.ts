import "./stackTraces";
import * as pulumi from "@pulumi/pulumi";
import { LocalHost } from "./components/host/local";
import { Store } from "./components/store";
import { readConfig } from "./config";
import { loadSpecs } from "./services";
import { source } from "./source";

const specs = loadSpecs();
const config = readConfig(specs);

if (config.host === "azure") {
  throw new pulumi.RunError(
    `store:host: the stack ${pulumi.getStack()} asks for an Azure VM, which this program can't make yet: the host, the ` +
      `registry and the push are still missing. Until then run the store here: ./store up dev`,
  );
}

const host = new LocalHost("local", { dockerHost: config.dockerHost });

const store = new Store("store", {
  host,
  specs,
  running: config.running,
  live: config.live,
  replicas: config.replicas,
  images: config.images,
  source: source(),
  httpPort: config.httpPort,
  environment: config.environment,
  secrets: config.secrets,
  demoData: config.demoData,
});

export const url = store.url;
export const dockerHost = config.dockerHost;
export const images = store.images;
export const containers = store.containers;
export const token = store.staffToken;
