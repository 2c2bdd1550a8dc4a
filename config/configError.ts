import * as pulumi from "@pulumi/pulumi";

/** A mistake in the stack's configuration. */
export interface Mistake {
  /** Path of the wrong value, without the prefix `store:`, for example `replicas.orders`. */
  readonly key: string;
  /** Message that completes "store:KEY:". Contains the value unless that may be secret. */
  readonly problem: string;
}

/** All mistakes in the stack's configuration, one per line. Pulumi prints a RunError without a stack trace. */
export class ConfigError extends pulumi.RunError {
  constructor(mistakes: readonly Mistake[]) {
    super(mistakes.map(({ key, problem }) => `store:${key}: ${problem}`).join("\n"));
  }
}
