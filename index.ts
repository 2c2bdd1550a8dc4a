import "./stackTraces";
import { createHost } from "./host";
import { Store } from "./components/store";
import { readConfig } from "./config";
import { loadSpecs } from "./services";
import { source } from "./source";

const specs = loadSpecs();
const config = readConfig(specs);

const host = createHost(config);

const store = new Store("store", {
  host,
  specs,
  running: config.running,
  live: config.live,
  replicas: config.replicas,
  images: config.images,
  source: source(),
  publish: config.publish,
  httpPort: config.httpPort,
  requestLimit: config.requestLimit,
  environment: config.environment,
  secrets: config.secrets,
  otlpEndpoint: config.otlpEndpoint,
  demoData: config.demoData,
});

/** The stack's outputs. */
export = {
  url: store.url,
  // How the store command reaches the host: absent where that is this machine. A secret, since the key to log in is in it.
  ...(host.access && { access: host.access }),
  dockerHost: config.dockerHost,
  images: store.images,
  containers: store.containers,
  token: store.staffToken,
};
