import { BackEnd } from "./backEnd.ts";

let running: Promise<BackEnd> | undefined;

/** Returns the back end that all test files share, because starting its processes takes seconds. */
export function sharedBackEnd(): Promise<BackEnd> {
  return (running ??= BackEnd.create());
}

after("stop the back end", async () => {
  await (await running)?.dispose();
});
