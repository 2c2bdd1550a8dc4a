import { fileURLToPath } from "node:url";

export const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
export const DOCUMENTS = fileURLToPath(new URL("../openapi/", import.meta.url));
export const TYPES = fileURLToPath(new URL("../types/", import.meta.url));

/** Audiences of an interface: the services behind the gateway, and everybody in front of it. */
export const AUDIENCES = ["internal", "public"] as const;
export type Audience = (typeof AUDIENCES)[number];

/** Path at which a service publishes its OpenAPI document for an audience. */
export function documentPath(service: string, audience: Audience): string {
  return audience === "internal" ? "/openapi.json" : `/api/${service}/openapi.json`;
}
