import * as pulumi from "@pulumi/pulumi";
import { shellQuote } from "../components/shell/shell";
import { ServiceSpec } from "../services/spec";
import { Mistake } from "./configError";
import { ConfigKey, ConfigValues } from "./schema";

/** A check that involves several keys or encryption. */
export interface Rule {
  /** Keys that the check reads. It is skipped when one of these keys is invalid by itself. */
  readonly reads: readonly ConfigKey[];
  readonly check: (values: ConfigValues, services: Services) => readonly Mistake[];
}

export interface Services {
  /** Services to run, including dependencies; sorted. */
  readonly enabledServices: readonly string[];
  readonly specs: ReadonlyMap<string, ServiceSpec>;
}

/** Returns a mistake if the condition is true. */
export function when(condition: boolean, key: string, problem: string): Mistake[] {
  return condition ? [{ key, problem }] : [];
}

/**
 * Command that sets a key of this stack, in the configuration file that `./store` was given. Plain `pulumi` would use another backend
 * than the checkout's state.
 */
export function configSet(args: string): string {
  const file = process.env["STORE_CONFIG_FILE"];
  const variable = file ? `STORE_CONFIG_FILE=${shellQuote(file)} ` : "";
  return `${variable}./store pulumi config set -s ${pulumi.getStack()} ${args}`;
}
