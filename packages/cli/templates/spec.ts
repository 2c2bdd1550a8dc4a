export type { ServiceSpec } from "../../../services/spec.ts";
