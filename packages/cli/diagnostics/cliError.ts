/**
 * What ends a verb: one message for the person at the terminal. Whatever isn't one of these is a mistake of ours and is shown
 * with its stack trace.
 */
export class Failure extends Error {
  readonly exitCode: ExitCode;
  /** Lines that show why, for example the last ones of a log. */
  readonly evidence: readonly string[];
  /** Where the evidence comes from. */
  readonly evidenceOf?: string;
  /** What to do now. */
  readonly remedy?: string;

  constructor(
    message: string,
    details: {
      readonly remedy?: string;
      readonly evidence?: readonly string[];
      readonly evidenceOf?: string;
      readonly exitCode?: ExitCode;
    } = {},
  ) {
    super(message);
    this.remedy = details.remedy;
    this.evidence = details.evidence ?? [];
    this.evidenceOf = details.evidenceOf;
    this.exitCode = details.exitCode ?? ExitCode.Failed;
  }
}

/** Wrong words on the command line. */
export class UsageError extends Failure {
  constructor(message: string, remedy?: string) {
    super(message, { remedy, exitCode: ExitCode.Usage });
  }
}

export enum ExitCode {
  Ok = 0,
  Failed = 1,
  Usage = 2,
  Interrupted = 130,
}
