import { untilInterrupted } from "@store/cli/terminal/interruption";
import { TestStore } from "../test/integration/support/testStore";

/**
 * Runs a benchmark on stores of its own, which are removed at the end: also after an error or Ctrl-C.
 *
 * @param bench Creates its stores by the first argument. Ends soon after the second one is aborted.
 */
export function withStores(
  bench: (create: typeof TestStore.create, stop: AbortSignal) => Promise<void>,
): Promise<void> {
  const stores: TestStore[] = [];
  const create: typeof TestStore.create = async (...args) => {
    const store = await TestStore.create(...args);
    stores.push(store);
    return store;
  };
  return untilInterrupted(
    async (stop) => {
      try {
        await bench(create, stop);
      } finally {
        for (const store of stores) await store.dispose();
      }
    },
    { summary: "The benchmark was interrupted.", hint: "Its stores are removed; start it again." },
  );
}
