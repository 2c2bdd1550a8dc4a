import { CliError } from "@store/docker/cliError";
import { findEngine } from "@store/toolchain/engine/engine";
import { hasSshFiles, hostIn, sshTargetOf } from "../docker/hostDocker";
import { loadCheckpoint } from "../engine/loadCheckpoint";
import { describePending, readBootState } from "../host/bootState";
import { diagnoseHost, isVmStopped, VmStopped } from "../host/stoppedVm";
import { storeCommand } from "../project/storeCommand";
import { isLocal, Session } from "../project/session";
import type { Checkpoint } from "../state/checkpoint";
import type { CheckContext, CheckResult } from "./check";

/** Limit for the host's answer over SSH, in milliseconds. */
const ANSWER_MS = 10_000;

/** Checks the host of a remote stack that is up: whether it answers over SSH, and whether updates need a reboot. */
export async function checkHost({ session }: CheckContext): Promise<CheckResult[]> {
  const title = "Host";
  const host = isLocal(session) ? undefined : hostIn(await readState(session));
  if (host === undefined) return [];
  const { name } = session.stack;
  const stopped = {
    status: "failed",
    found: "the VM is stopped",
    hint: `Start it: ${storeCommand("start", name)}`,
  } as const;
  // Without its files, which need the state's secrets, ssh can't log in.
  if (!hasSshFiles(session)) {
    return (await isVmStopped(session)) ? [{ title, ...stopped }] : [];
  }
  const { hostname } = new URL(host.url);
  try {
    const state = await readBootState(sshTargetOf(host, session), { timeoutMs: ANSWER_MS });
    return [
      { title, status: "ok", found: `${hostname} answers`, hint: describePending(state, name) },
    ];
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const found = await diagnoseHost(session, error);
    if (found instanceof VmStopped) return [{ title, ...stopped }];
    return [{ title, status: "failed", found: `${hostname}: ${found.summary}`, hint: found.hint }];
  }
}

/** Reads the stack's state unless that needs an engine that isn't installed, or fails, which another check reports. */
export async function readState(session: Session): Promise<Checkpoint | undefined> {
  const isLocalFile = session.state.backend.kind === "workspace";
  if (!isLocalFile && (await findEngine()).engine === undefined) return undefined;
  try {
    return await loadCheckpoint(session);
  } catch (error) {
    if (error instanceof CliError) return undefined;
    throw error;
  }
}
