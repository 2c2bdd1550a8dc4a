import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Docker } from "@store/docker/docker";
import { problemOf } from "@store/docker/unreachable";
import { SshAgent, type SshTarget, sshTarget } from "@store/docker/sshAgent";
import { sshFolder } from "../../../components/host/ssh/sshFiles";
import { ensureSshFiles } from "../host/remoteHost";
import { hostDiagnosis } from "../host/stoppedVm";
import type { Session } from "../project/session";
import type { Checkpoint } from "../state/checkpoint";
import { PROVIDER_TYPE } from "./stackDaemonCheck";

/** Docker on another machine. */
export interface HostDocker {
  readonly docker: Docker;
  /** IP address or name of the machine. */
  readonly address: string;
}

/**
 * Connects to Docker on a remote stack's host by the address and the ssh options in the state. Unlike `connect`, it reads no secret
 * from the state, which takes the engine a second.
 *
 * @returns undefined if the state has no host
 * @throws CliError if Docker on the host doesn't answer
 */
export async function connectHostDocker(
  session: Session,
  checkpoint: Checkpoint | undefined,
): Promise<HostDocker | undefined> {
  const host = hostIn(checkpoint);
  if (host === undefined) return undefined;
  const hasFiles = hasSshFiles(session);
  if (!hasFiles) await ensureSshFiles(session);
  try {
    return await reach(host, session);
  } catch (error) {
    // Somebody else may have replaced the host since this workspace's files were written.
    if (!hasFiles || !OUTDATED_FILES.test(problemOf((error as Error).cause))) throw error;
    await ensureSshFiles(session);
    return reach(host, session);
  }
}

const OUTDATED_FILES = /host key verification failed|permission denied/i;

/** Checks whether this checkout has the files with the host's keys, which the ssh options in the state name. */
export function hasSshFiles({ project, stack }: Session): boolean {
  return existsSync(join(project.root, sshFolder(stack.name), "identity"));
}

/**
 * Removes this checkout's SSH files, the login key among them, of a host that isn't in the state any more. A host whose data was kept is
 * still there, and the next command needs the files.
 */
export function removeSshFiles({ project, stack }: Session, after: Checkpoint | undefined): void {
  if (hostIn(after) !== undefined) return;
  rmSync(join(project.root, sshFolder(stack.name)), { recursive: true, force: true });
}

/** Returns the machine of a remote stack for ssh. Its files must exist. */
export function sshTargetOf({ url, options }: ProviderHost, { project }: Session): SshTarget {
  return { ...sshTarget(url), options, folder: project.root };
}

async function reach(host: ProviderHost, session: Session): Promise<HostDocker> {
  const { url } = host;
  const agent = new SshAgent(sshTargetOf(host, session));
  const docker = new Docker({ host: url }, agent, hostDiagnosis(session));
  try {
    await docker.ping();
  } catch (error) {
    docker.close();
    throw error;
  }
  return { docker, address: new URL(url).hostname };
}

/** Address of Docker and ssh options of a provider. */
export interface ProviderHost {
  readonly url: string;
  /** Contain paths relative to the project. */
  readonly options: readonly string[];
}

/** Returns the newest host in the state. */
export function hostIn(checkpoint: Checkpoint | undefined): ProviderHost | undefined {
  const provider = checkpoint?.resources.find(
    // A default provider has no host.
    ({ type, inputs, delete: isOriginal }) =>
      type === PROVIDER_TYPE && !isOriginal && inputs?.["host"] !== undefined,
  );
  const { host: url, sshOpts } = provider?.inputs ?? {};
  if (typeof url !== "string" || !url.startsWith("ssh:")) return undefined;
  // The engine keeps a provider's lists as JSON.
  const options: unknown = typeof sshOpts === "string" ? JSON.parse(sshOpts) : (sshOpts ?? []);
  return { url, options: Array.isArray(options) ? options.map(String) : [] };
}
