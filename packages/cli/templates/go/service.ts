import type { ServiceSpec } from "../spec.ts";

const spec: ServiceSpec = {
  port: 3000,
  routes: ["/api/example-service"],
  // The image has no shell.
  health: { command: ["/service", "--health"] },
};
export default spec;
