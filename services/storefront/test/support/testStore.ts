import { startStore, type TestStoreProcesses } from "@store/kit/testing";

let running: Promise<TestStoreProcesses> | undefined;

/** Starts the store that all test files share, because starting its five processes takes a while. */
export function sharedStore(): Promise<TestStoreProcesses> {
  return (running ??= startStore());
}

after(async function () {
  this.timeout(60_000);
  await (await running)?.stop();
});
