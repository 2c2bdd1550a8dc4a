import { spawn } from "node:child_process";
import { listContainers } from "../containers";
import { ExitCode, Failure } from "../failure";
import { storeCommand } from "../project";
import { connectDocker, openSession, StackOptions } from "../session";
import { storeUrl } from "../url";

export async function open(options: StackOptions): Promise<ExitCode> {
  const session = openSession(options);
  const docker = await connectDocker(session);
  const url = storeUrl(await listContainers(docker, session.project.name, session.stack.name));
  if (url === undefined) {
    throw new Failure(`The gateway of the stack ${session.stack.name} doesn't run.`, {
      remedy: `Bring it up: ${storeCommand("up", session.stack.name)}`,
    });
  }
  process.stdout.write(`${url}\n`);
  const browser = browserCommand();
  if (browser) {
    // Its own process, which stays when we go. Where there is no such program, the address is printed at least.
    spawn(browser, [url], { stdio: "ignore", detached: true })
      .on("error", () => undefined)
      .unref();
  }
  return ExitCode.Ok;
}

function browserCommand(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (process.platform === "darwin") return "open";
  return env["DISPLAY"] || env["WAYLAND_DISPLAY"] ? "xdg-open" : undefined;
}
