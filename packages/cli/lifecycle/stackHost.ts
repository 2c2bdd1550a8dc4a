import { CliError } from "@store/docker/cliError";
import { connectHostDocker, HostDocker } from "../docker/hostDocker";
import type { EngineContext } from "../engine/setup";
import type { Session } from "../project/session";
import type { Checkpoint } from "../state/checkpoint";
import type { Reporter } from "../terminal/terminal";

/** Docker on the host that a stack has before a run. */
export interface StackHost extends HostDocker {
  /** The host is this machine or a daemon that the user has chosen, which commands may change without a confirmation. */
  readonly isLocal: boolean;
}

/**
 * Connects to Docker on the stack's host.
 *
 * @returns undefined if there is no host yet, or if Docker there doesn't answer. The engine may then replace the host, and reports the
 *   cause if it needs Docker.
 * @param report Gets a note if the host doesn't answer. Defaults to none.
 */
export async function connectStackHost(
  session: Session,
  { docker }: Pick<EngineContext, "docker">,
  checkpoint: Checkpoint | undefined,
  report?: Reporter,
): Promise<StackHost | undefined> {
  if (docker) return { docker, address: "localhost", isLocal: true };
  try {
    const host = await connectHostDocker(session, checkpoint);
    return host && { ...host, isLocal: false };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    report?.note(`the host is not checked for drift: ${error.summary}`);
    return undefined;
  }
}
