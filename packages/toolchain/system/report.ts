/** Where the toolchain says what it does. The caller decides how that looks. */
export interface Reporter {
  /** Something that takes a while begins. */
  step(title: string): void;
  /** How far the step has come; the next one may overwrite it. */
  progress(line: string): void;
  /** Something that the user should be able to read afterwards. */
  note(line: string): void;
}

/** A cause and what to do about it. Shown without a stack: it is about the machine, not about the code. */
export class ToolchainError extends Error {
  constructor(
    message: string,
    readonly remedy: string,
  ) {
    super(message);
    this.name = "ToolchainError";
  }
}
