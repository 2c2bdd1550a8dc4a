import * as random from "@pulumi/random";
import { LocalHost } from "../../../../components/host/localHost";
import { Store } from "../../../../components/store";
import type { StoreArgs } from "../../../../components/storeArgs";
import { ServiceSpec } from "../../../../services/spec";
import { CONTAINER, Registered, resources } from "../../mocks";

/** Creates a store with the services inventory, orders and storefront on this machine, under Pulumi's mocks. */
export function createStore(args: Partial<StoreArgs> = {}): Store {
  const specs = new Map<string, ServiceSpec>([
    [
      "inventory",
      {
        ...kit,
        ...{
          routes: ["/api/inventory"],
          database: true,
          secrets: ["STAFF_TOKENS"],
          egress: true,
        },
      },
    ],
    [
      "orders",
      {
        ...kit,
        routes: ["/api/orders"],
        database: true,
        secrets: ["STAFF_TOKENS"],
        needs: ["inventory"],
        drainSeconds: 7,
      },
    ],
    ["storefront", { ...kit, routes: ["/"], network: "edge" }],
  ]);
  return new Store("store", {
    host: new LocalHost("local", { dockerHost: "unix:///test.sock" }),
    passwords: new random.Provider("passwords"),
    specs,
    enabledServices: [...specs.keys()],
    images: {
      node: "node:26.10.0-slim",
      postgres: "postgres:18.4",
      haproxy: "haproxy:3.0.11",
      lego: "goacme/lego:v5.6.0",
    },
    source: { url: "https://example.org/store.git", revision: "abc" },
    httpPort: 8081,
    requestLimit: 100,
    connectionLimit: 500,
    demoData: true,
    ...args,
  });
}
/** Spec of a service with the kit, without routes. */
export const kit: ServiceSpec = {
  port: 3000,
  image: { base: "packages/kit" },
  live: { mounts: { src: "/app/service/src" }, command: ["node", "--watch", "src/main.ts"] },
};
/** Returns the containers that were registered and start, unlike those that only hold files. */
export async function runningContainers(): Promise<Registered[]> {
  return (await resources(CONTAINER)).filter(({ inputs }) => inputs["start"] !== false);
}
