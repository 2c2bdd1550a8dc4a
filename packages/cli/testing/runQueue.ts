/** Numbers of tasks that run at the same time. */
export interface Limits {
  readonly all: number;
  /** Limit of the tasks that aren't light. */
  readonly heavy: number;
}

/**
 * Runs tasks side by side within the limits. Each starts as early as the limits allow: a light one doesn't wait for a heavy one before it.
 *
 * @param tasks In the order in which they start.
 * @throws Error of the first task that fails. No further task is started.
 */
export async function runQueue<Task extends { readonly light: boolean }>(
  tasks: readonly Task[],
  limits: Limits,
  run: (task: Task) => Promise<void>,
): Promise<void> {
  const waiting = [...tasks];
  let heavy = 0;
  const next = (): Task | undefined => {
    const i = waiting.findIndex(({ light }) => light || heavy < limits.heavy);
    return i === -1 ? undefined : waiting.splice(i, 1)[0];
  };
  // A worker that finds only heavy tasks may end: those that run them take the rest.
  const worker = async (): Promise<void> => {
    for (let task = next(); task !== undefined; task = next()) {
      const weight = task.light ? 0 : 1;
      heavy += weight;
      try {
        await run(task);
      } catch (error) {
        waiting.length = 0;
        throw error;
      } finally {
        heavy -= weight;
      }
    }
  };
  await Promise.all(Array.from({ length: limits.all }, worker));
}
