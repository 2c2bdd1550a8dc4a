import { ensureBaseImages, imagesUsedByTag, usedByTag } from "@store/toolchain/images/baseImages";
import { FALLBACK_VARIABLE } from "../../../config/usedImage";
import { ensureDocker, missingDockerCommand } from "@store/toolchain/tools/docker";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { Engine } from "@store/toolchain/engine/engineEnv";
import { Docker } from "@store/docker/docker";
import { checkStackDaemon } from "../docker/stackDaemonCheck";
import { endOrphanedPlugins } from "./orphanedPlugins";
import { isOnLocalDisk } from "../state/localDisk";
import { isHeld, lockedError, removeEngineLock, staleLockError } from "../state/locks";
import { baseImageNames } from "../project/project";
import { connectLocalDocker, dockerEndpoint, isLocal, Session } from "../project/session";
import { checkStackFile } from "../project/stackFileCheck";
import { findEngineLocks } from "../state/state";
import { Reporter } from "../terminal/terminal";
import { engineEnvironment } from "./environment/engineEnvironment";

/** The engine and Docker, ready to change a stack. */
export interface EngineContext {
  readonly engine: Engine;
  /** Environment of the engine, without the configuration file, which each run sets. */
  readonly env: NodeJS.ProcessEnv;
  /** Docker on this machine; undefined for a stack with another host. */
  readonly docker: Docker | undefined;
}

/** Context of a command that needs no Docker. */
export type PulumiContext = Pick<EngineContext, "engine" | "env">;

/**
 * Installs, builds or starts whatever is missing of Docker, the engine and the base images.
 *
 * @param options.baseImages Also provides the base images.
 */
export async function setUpEngine(
  session: Session,
  report: Reporter,
  options: { readonly baseImages: boolean },
): Promise<EngineContext> {
  checkStackFile(session.project, session.stack);
  // Images for another host are built with this machine's Docker, too.
  const localDocker = await setUpDocker(session, report, options);
  const docker = isLocal(session) ? localDocker : undefined;
  const engine = await ensureEngine(report);
  return { engine, env: engineEnvironment(session, engine, localDocker.endpoint), docker };
}

/** Connects to Docker and provides the engine, for commands that build no images. Docker is not installed. */
export async function connectEngine(session: Session, report: Reporter): Promise<EngineContext> {
  checkStackFile(session.project, session.stack);
  const docker = isLocal(session) ? await connectLocalDocker(session) : undefined;
  const engine = await ensureEngine(report);
  const endpoint = docker?.endpoint ?? dockerEndpoint(session);
  return { engine, env: engineEnvironment(session, engine, endpoint), docker };
}

/**
 * Removes the locks of engines that were killed, and ends the processes that killed engines have left. In a folder that other machines may
 * share, it removes no lock.
 *
 * @throws CliError if the engine that holds a lock still runs, or if the lock can't be removed.
 */
export async function removeStaleEngineLocks(
  session: Session,
  report: Pick<Reporter, "note">,
): Promise<void> {
  const { state, stack } = session;
  const locks = findEngineLocks(state, stack.name);
  for (const lock of locks) {
    if (isHeld(lock)) throw lockedError(stack.name, lock);
    // Another machine that shares the folder may have the same host name, and the process.
    if (state.backend.kind === "user" && !isOnLocalDisk(lock.file))
      throw staleLockError(stack.name, lock);
    try {
      removeEngineLock(lock);
    } catch (error) {
      throw staleLockError(stack.name, lock, error);
    }
    report.note(
      `removed the lock of process ${lock.pid} (${lock.since.toLocaleString("en-GB")}), which was killed`,
    );
  }
  // Also without a lock: the command of a killed engine may have been killed, too, or been an earlier release.
  await endOrphanedPlugins();
}

async function setUpDocker(
  session: Session,
  report: Reporter,
  options: { readonly baseImages: boolean },
): Promise<Docker> {
  const found = await ensureDocker(report, dockerEndpoint(session));
  // Before anything is created: commands of the stack run it (components/container/files.ts).
  if (options.baseImages && found.cli === undefined) throw missingDockerCommand();
  const docker = new Docker(found);
  // Before base images are built on another daemon than the stack's.
  if (isLocal(session)) await checkStackDaemon(session, docker);
  const names = baseImageNames(session.project, session.stack);
  // The program reports a name that isn't a string.
  const ensures = options.baseImages && Object.values(names).every((name) => name !== "");
  if (ensures) useByTag(usedByTag(await ensureBaseImages(names, docker, report)));
  else await noteImagesUsedByTag(session, docker);
  return docker;
}

/** Notes for the program which base images Docker has under their tag only (config/usedImage.ts). */
export async function noteImagesUsedByTag(
  { project, stack }: Session,
  docker: Docker,
): Promise<void> {
  useByTag(await imagesUsedByTag(baseImageNames(project, stack), docker));
}

function useByTag(refs: readonly string[]): void {
  process.env[FALLBACK_VARIABLE] = refs.join(" ");
}
