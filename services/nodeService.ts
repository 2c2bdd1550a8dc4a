import type { ServiceSpec } from "./spec.ts";

/**
 * The spec of a Node service on the kit's image (packages/kit): it listens on port 3000 and runs from its `src` where
 * `store:live` names it.
 *
 * @example
 * export default nodeService({ routes: ["/api/reviews"], database: true });
 */
export function nodeService(own: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    port: 3000,
    image: { base: "packages/kit" },
    live: {
      mounts: { src: "/app/service/src" },
      // SIGINT: a restart after a change need not wait for the drain.
      command: ["node", "--watch-path=src", "--watch-kill-signal=SIGINT", "src/main.ts"],
    },
    ...own,
  };
}
