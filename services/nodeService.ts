import type { HealthSpec, ServiceSpec } from "./spec.ts";

/** What a service on the kit says of itself; all that it leaves out is as {@link nodeService} has it. */
export type NodeServiceSpec = Omit<Partial<ServiceSpec>, "health"> & {
  readonly health?: Partial<HealthSpec>;
};

/**
 * The spec of a Node service on the kit's image (packages/kit): it listens on port 3000, is asked for its health by the kit's
 * own check, and runs from its `src` where `store:live` names it.
 *
 * @example
 * export default nodeService({ routes: ["/api/reviews"], database: true });
 */
export function nodeService(own: NodeServiceSpec = {}): ServiceSpec {
  return {
    port: 3000,
    image: { base: "packages/kit" },
    live: {
      mounts: { src: "/app/service/src" },
      // SIGINT: a restart after a change need not wait for the drain.
      command: ["node", "--watch-path=src", "--watch-kill-signal=SIGINT", "src/main.ts"],
    },
    ...own,
    health: { command: ["node", "/app/kit/healthcheck.mjs"], ...own.health },
  };
}
