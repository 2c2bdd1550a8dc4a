/** Rests that somebody may cut short. */
export class Pause {
  #rung = false;
  #wake: (() => void) | undefined;

  /** Resolves after `ms` milliseconds, or when rung: at once if that was since the last rest. */
  async rest(ms: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = undefined;
    this.#rung = false;
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }
}
