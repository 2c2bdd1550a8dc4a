import type { PolicyConfigJSONSchema } from "@pulumi/policy/schema";
import type { PlannedResource } from "./resource";

/** A rule for every stack, with its settings in config.json. */
export interface Policy {
  /** Key in config.json. */
  readonly name: string;
  readonly description: string;
  /** JSON schemas of the policy's settings in config.json; all are required. */
  readonly settings: Readonly<Record<string, PolicyConfigJSONSchema>>;
  /** Returns the violations of one resource, each with what to do. */
  readonly check: (resource: PlannedResource, settings: object) => readonly string[];
}

/** Definition of a policy whose settings have the type `S`. */
export interface PolicyDefinition<S> extends Omit<Policy, "settings" | "check"> {
  readonly settings: Readonly<Record<keyof S, PolicyConfigJSONSchema>>;
  readonly check: (resource: PlannedResource, settings: S) => readonly string[];
}

export function definePolicy<S = unknown>(definition: PolicyDefinition<S>): Policy {
  return {
    ...definition,
    // The engine has validated them by the schemas.
    check: (resource, settings) => definition.check(resource, settings as S),
  };
}

/** Schema of a setting that lists texts. */
export const TEXTS: PolicyConfigJSONSchema = {
  type: "array",
  items: { type: "string", minLength: 1 },
};
