import type { ServiceSpec } from "./spec.ts";

/**
 * Returns the spec of a Node service on the kit's image (packages/kit). The service listens on port 3000; in dev mode
 * (`store:live`) it runs from its `src` folder.
 *
 * @example
 * export default nodeService({ routes: ["/api/reviews"], database: true });
 */
export function nodeService(overrides: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    port: 3000,
    image: { base: "packages/kit" },
    user: "node",
    live: {
      mounts: { src: "/app/service/src" },
      // SIGINT instead of SIGTERM: a restart after a change needn't wait for the drain.
      command: ["node", "--watch-path=src", "--watch-kill-signal=SIGINT", "src/main.ts"],
    },
    ...overrides,
  };
}
