/**
 * An expected failure, shown to the user as a message without a stack trace. Any other error that reaches the top of the CLI
 * is a bug and is shown with its stack trace.
 */
export class CliError extends Error {
  /** Supporting lines, for example the end of a log. @default none */
  readonly details: readonly string[];
  /** Source of the details, for example the command that printed them. */
  readonly detailsTitle?: string;
  /** Instruction for the user. */
  readonly hint?: string;
  /** Exit code of the command. @default ExitCode.Failed */
  readonly exitCode: ExitCode;

  /** @param summary One sentence: what failed and why. */
  constructor(
    readonly summary: string,
    options: CliErrorOptions = {},
  ) {
    super(summary, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CliError";
    this.details = options.details ?? [];
    this.detailsTitle = options.detailsTitle;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? ExitCode.Failed;
  }
}

export interface CliErrorOptions {
  readonly details?: readonly string[];
  readonly detailsTitle?: string;
  readonly hint?: string;
  readonly exitCode?: ExitCode;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/** An invalid command line. */
export class UsageError extends CliError {
  constructor(summary: string, hint?: string) {
    super(summary, { hint, exitCode: ExitCode.Usage });
  }
}

export enum ExitCode {
  Ok = 0,
  Failed = 1,
  Usage = 2,
  Interrupted = 130,
}
