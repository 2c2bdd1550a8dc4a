import { publishesHere, sshTunnel } from "../../docker/url";
import type { StackHost } from "../../lifecycle/stackHost";
import { verifyPublicAddress } from "../../lifecycle/verifyPublicAddress";
import type { Session } from "../../project/session";
import { colors, Reporter } from "../../terminal/terminal";
import { storeCommand } from "../../project/storeCommand";

/** Verifies that the store answers, and prints its address. */
export async function finish(
  session: Session,
  host: StackHost | undefined,
  report: Reporter,
): Promise<void> {
  if (host === undefined) return;
  const { docker, isLocal: isLocalHost } = host;
  const url = await verifyPublicAddress(session, host, report);
  const elsewhere = isLocalHost && !publishesHere(docker.host) ? docker.host : undefined;
  process.stdout.write(renderResult(session.stack.name, url, elsewhere));
  docker.close();
}

/** @param elsewhere Address of Docker if it publishes the URL on its own machine only. */
function renderResult(stack: string, url: string, elsewhere: string | undefined): string {
  const commands: readonly [string, string][] = [
    [storeCommand("ps", stack), "list the containers"],
    [storeCommand("logs -f", stack), "follow the logs"],
    [storeCommand("down", stack), "remove the stack; keeps the data"],
  ];
  const width = Math.max(...commands.map(([command]) => command.length));
  const tunnel = elsewhere === undefined ? undefined : sshTunnel(elsewhere, url);
  return [
    elsewhere === undefined
      ? `The store is up: ${colors.bold(url)}\n`
      : `The containers run. The store's address is ${colors.bold(url)} on the machine ${elsewhere}.${tunnel === undefined ? "" : ` Reach it from here: ${tunnel}`}\n`,
    ...commands.map(([command, purpose]) => colors.dim(`  ${command.padEnd(width)}  ${purpose}\n`)),
  ].join("");
}
