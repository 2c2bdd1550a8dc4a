import { elsewhereNote } from "../../docker/gateway/url";
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
  const elsewhere = isLocalHost ? elsewhereNote(docker.host, url) : undefined;
  process.stdout.write(renderResult(session.stack.name, url, elsewhere));
  docker.close();
}

/** @param elsewhere Says where the URL is valid if that isn't this machine. */
function renderResult(stack: string, url: string, elsewhere: string | undefined): string {
  const commands: readonly [string, string][] = [
    [storeCommand("ps", stack), "list the containers"],
    [storeCommand("logs -f", stack), "follow the logs"],
    [storeCommand("down", stack), "remove the stack; keeps the data"],
  ];
  const width = Math.max(...commands.map(([command]) => command.length));
  return [
    elsewhere === undefined
      ? `The store is up: ${colors.bold(url)}\n`
      : `The containers run. ${elsewhere}\n`,
    ...commands.map(([command, purpose]) => colors.dim(`  ${command.padEnd(width)}  ${purpose}\n`)),
  ].join("");
}
