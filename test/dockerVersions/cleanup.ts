/** Collects what a test must undo, and undoes it in reverse order. */
export class Cleanup {
  private readonly actions: (() => unknown)[] = [];

  add(action: () => unknown): void {
    this.actions.push(action);
  }

  /** Runs all actions, and forgets them. @throws the first error, after all actions have run. */
  async run(): Promise<void> {
    const errors: unknown[] = [];
    for (const action of this.actions.splice(0).reverse()) {
      try {
        await action();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
