import type { ServiceSpec } from "../spec.ts";

const spec: ServiceSpec = {
  port: 3000,
  routes: ["/api/example-service"],
};
export default spec;
