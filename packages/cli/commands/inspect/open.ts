import { spawn } from "node:child_process";
import { CliError, ExitCode } from "@store/docker/cliError";
import { askPublicAddress, describeAnswer } from "../../docker/gateway/publicAddress";
import { fetchStoreUrl } from "../../docker/gateway/url";
import { openSession, StackOptions } from "../../project/session";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";

export const open = defineCommand<StackFlags, StackOptions>({
  name: "open",
  summary: "print the store's address and open it in a browser",
  arguments: [STACK_ARGUMENT],
  flags: STACK_FLAGS,
  examples: ["./store open"],
  parse: ({ args: [stack], flags }) => parseStack(flags, stack),
  run,
});

async function run(options: StackOptions): Promise<ExitCode> {
  const { url: address, elsewhere } = await fetchStoreUrl(openSession(options));
  process.stdout.write(`${address}\n`);
  // With a tunnel the address is valid here, too; without one another program may listen there.
  const answer = elsewhere === undefined ? undefined : await askPublicAddress(address, "localhost");
  if (elsewhere !== undefined && answer && !["ok", "unavailable"].includes(answer.kind)) {
    throw new CliError(`On this machine, ${address} ${describeAnswer(answer)}.`, {
      hint: elsewhere,
    });
  }
  openBrowser(address);
  return ExitCode.Ok;
}

/** Starts a browser that outlives this process. Does nothing if there is no desktop or no program to open a browser. */
function openBrowser(address: string): void {
  const program = browserProgram();
  if (program === undefined) return;
  spawn(program, [address], { stdio: "ignore", detached: true })
    .on("error", () => undefined)
    .unref();
}

function browserProgram(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (process.platform === "darwin") return "open";
  return env["DISPLAY"] || env["WAYLAND_DISPLAY"] ? "xdg-open" : undefined;
}
