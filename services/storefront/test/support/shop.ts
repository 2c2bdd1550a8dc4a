import { startStore, type TestStoreProcesses } from "@store/kit/testing";

let running: Promise<TestStoreProcesses> | undefined;

/** The one store that all of the storefront's tests visit: five processes take a while to start. */
export function shop(): Promise<TestStoreProcesses> {
  return (running ??= startStore());
}

after(async function () {
  this.timeout(60_000);
  await (await running)?.stop();
});
