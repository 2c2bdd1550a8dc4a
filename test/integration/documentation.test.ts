import assert from "node:assert/strict";
import {
  commandsOf,
  isConfiguration,
  isForStaging,
  PAGES,
} from "../staging/steps/documentedCommands";
import { run, TestStore } from "./support/testStore";

/** Commands that run the tests or the rehearsal: this run itself covers them. */
const THIS_RUN = new Set(["npm test", "./store rehearse", "./store rehearse --fail quota"]);

/** Returns the command as typed for the test's stack, since another checkout may run `dev` on this machine. */
function onStack(command: string, stack: string): string {
  if (command.startsWith("./store down")) return command.replace("down", `down ${stack} --yes`);
  if (command === "npm start") return `npm start -- ${stack}`;
  if (/^docker /.test(command)) return command.replaceAll("=dev ", `=${stack} `);
  if (/^\.\/store (pulumi|logs|exec) /.test(command)) return `${command} -s ${stack}`;
  return command.replace(/^(\.\/store \w+)/, `$1 ${stack}`);
}

describe("documentation", function () {
  this.timeout(10 * 60_000);
  let store: TestStore;

  before(async () => {
    store = await TestStore.create();
  });
  after(() => store.dispose());

  for (const page of PAGES) {
    it(`runs the commands of ${page} for this machine, and those that configure staging`, async () => {
      const commands = commandsOf(page).filter(
        (command) => !THIS_RUN.has(command) && (!isForStaging(command) || isConfiguration(command)),
      );
      assert.notEqual(commands.length, 0);
      for (const command of commands) {
        const shell = isForStaging(command) ? command : onStack(command, store.stack);
        const { code, output } = await run("sh", ["-c", shell], store.folder, store.environment);
        assert.equal(code, 0, `${command}\n${output}`);
      }
    });
  }
});
