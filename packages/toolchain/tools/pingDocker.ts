import { Daemon, reasonOf } from "@store/docker/daemon";
import { messageOf } from "@store/docker/messageOf";

/** Timeout of a request to the daemon, in milliseconds. */
export const ANSWER_LIMIT_MS = 5_000;

/** Cause of an unreachable daemon: a system error code or a message. */
export type Problem = string;

/** Returns the daemon's version and architecture, or why it can't be reached. */
export async function pingDaemon(
  host: string,
): Promise<{ version: string; arch: string } | Problem> {
  if (!Daemon.supports(host)) return "EPROTONOSUPPORT";
  try {
    const answer = await new Daemon(host).get("/version", ANSWER_LIMIT_MS);
    if (answer.status !== 200) return reasonOf(answer);
    const { Version, Arch } = answer.body as { Version: string; Arch: string };
    return { version: Version, arch: Arch };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? messageOf(error);
  }
}
