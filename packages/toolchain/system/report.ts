/** Receives the progress of long operations. */
export interface Reporter {
  /** A long operation begins. */
  step(title: string): void;
  /** Progress of the step. The next progress line may overwrite it. */
  progress(line: string): void;
  /** A permanent line of output. */
  note(line: string): void;
}
