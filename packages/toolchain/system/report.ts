/** Where the toolchain says what it does. The caller decides how that looks. */
export interface Reporter {
  /** Something that takes a while begins. */
  step(title: string): void;
  /** How far the step has come; the next one may overwrite it. */
  progress(line: string): void;
  /** Something that the user should be able to read afterwards. */
  note(line: string): void;
}
