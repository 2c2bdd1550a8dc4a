/** A timer whose wait can be ended early. */
export class WakeableTimer {
  #notified = false;
  #wake: (() => void) | undefined;

  /** Resolves after `ms` milliseconds or on notify(); immediately if notify() was called since the last wait. */
  async wait(ms: number): Promise<void> {
    if (!this.#notified) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = undefined;
    this.#notified = false;
  }

  notify(): void {
    this.#notified = true;
    this.#wake?.();
  }
}
