import * as pulumi from "@pulumi/pulumi";

/** Says which key of the stack's configuration is wrong. Pulumi prints it without a stack trace. */
export class ConfigError extends pulumi.RunError {
  constructor(key: string, problem: string) {
    super(`store:${key}: ${problem}`);
  }
}
