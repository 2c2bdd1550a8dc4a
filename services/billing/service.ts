import type { ServiceSpec } from "../spec.ts";

const spec: ServiceSpec = {
  port: 3000,
  routes: ["/api/billing"],
  database: true,
  secrets: ["STAFF_TOKEN"],
  image: { base: "packages/kit" },
  health: { command: ["node", "/app/kit/healthcheck.mjs"] },
  live: {
    mounts: { src: "/app/service/src" },
    // SIGINT: a restart after a change need not wait for the drain.
    command: ["node", "--watch-path=src", "--watch-kill-signal=SIGINT", "src/main.ts"],
  },
};

export default spec;
