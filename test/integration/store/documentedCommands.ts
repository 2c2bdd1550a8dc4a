import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  commandsOf,
  isConfiguration,
  isForStaging,
  PAGES,
} from "../../staging/steps/documentedCommands";
import { untilNoOtherUp } from "../support/runningUps";
import { run } from "../../support/run";
import { TestStore } from "../support/testStore";

/** Commands that other tests of the same run cover. */
const THIS_RUN = new Set([
  ...["npm test", "./store rehearse", "./store rehearse --fail quota", "./store down --volumes"],
]);

/** Defines tests that run the documented commands on a running store, and leave it running. */
export function testDocumentedCommands(running: () => TestStore): void {
  for (const page of PAGES) {
    it(`runs the commands of ${page} for this machine, and those that configure staging`, async () => {
      const store = running();
      const commands = commandsOf(page).filter(
        (command) => !THIS_RUN.has(command) && (!isForStaging(command) || isConfiguration(command)),
      );
      assert.notEqual(commands.length, 0);
      // In dev mode a container reads the sources as another user.
      execFileSync("chmod", ["-R", "go+rX", "services"], { cwd: store.folder });
      for (const command of commands) {
        const shell = isForStaging(command) ? command : onStack(command, store.stack);
        if (shell.startsWith("./store down")) await untilNoOtherUp();
        const { code, output } = await run("sh", ["-c", shell], store.folder, store.environment);
        assert.equal(code, 0, `${command}\n${output}`);
      }
    });
  }
}

/** Returns the command as typed for the test's stack, since another checkout may run `dev` on this machine. */
function onStack(command: string, stack: string): string {
  if (command.startsWith("./store down")) return command.replace("down", `down ${stack} --yes`);
  if (command === "npm start") return `npm start -- ${stack}`;
  if (/^docker /.test(command)) return command.replaceAll("=dev ", `=${stack} `);
  if (/^\.\/store (pulumi|logs|exec) /.test(command)) return `${command} -s ${stack}`;
  return command.replace(/^(\.\/store \w+)/, `$1 ${stack}`);
}
