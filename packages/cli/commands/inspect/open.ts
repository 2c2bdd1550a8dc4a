import { spawn } from "node:child_process";
import { ExitCode } from "@store/docker/cliError";
import { openSession, StackOptions } from "../../project/session";
import { fetchStoreUrl } from "../../docker/url";

export async function open(options: StackOptions): Promise<ExitCode> {
  const session = openSession(options);
  const url = await fetchStoreUrl(session);
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
