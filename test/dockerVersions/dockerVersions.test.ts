import assert from "node:assert/strict";
import { TestStore } from "../integration/support/testStore";
import { Cleanup } from "./cleanup";
import { Environment } from "./environment";
import { ENVIRONMENTS } from "./environments";
import { saveResult } from "./results";
import { Measurements, runScenario, versions } from "./scenario";

/** Runs only if it is named: `./store test docker-versions`, or some rows with `-- --grep "Docker 28"`. */
describe("A small store", function () {
  // A first run makes the root file system of a suite, too.
  this.timeout("12m");

  for (const environment of ENVIRONMENTS) {
    const result = environment.refusal ? "is refused with a remedy" : "works";
    it(`${result} ${environment.title}`, () => runRow(environment));
  }
});

async function runRow(environment: Environment): Promise<void> {
  const cleanup = new Cleanup();
  const measured: Measurements = {};
  let outcome = environment.refusal ? "refused with a remedy" : "works";
  try {
    await tryEnvironment(environment, cleanup, measured);
    await cleanup.run();
  } catch (error) {
    outcome = `fails: ${firstLine(error)}`;
    await cleanup.run().catch((second: unknown) => console.error(second));
    throw error;
  } finally {
    const date = new Date().toISOString().slice(0, 10);
    const titles = ENVIRONMENTS.map(({ title }) => title);
    await saveResult(environment.title, { date, outcome, ...measured }, titles);
  }
}

async function tryEnvironment(
  { setUp, refusal }: Environment,
  cleanup: Cleanup,
  measured: Measurements,
): Promise<void> {
  const { clients = [], ...site } = await setUp(cleanup);
  const store = await TestStore.create({ services: ["inventory"] }, site);
  cleanup.add(() => store.dispose());
  if (refusal === undefined) return runScenario(store, clients, measured);
  Object.assign(measured, await versions(store));
  const { code, output } = await store.run("up");
  assert.equal(code, 1, output);
  assert.match(output, refusal);
}

/** Returns the first line of the error without characters that would end a cell of a table. */
function firstLine(error: unknown): string {
  const [line = ""] = String(error).split("\n");
  return line.replaceAll("|", "\\|").slice(0, 200);
}
