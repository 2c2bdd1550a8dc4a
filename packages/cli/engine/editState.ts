import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "@store/docker/cliError";
import type { Session } from "../project/session";
import type { Checkpoint, Resource } from "../state/checkpoint";
import { InterruptedRun } from "../state/interruptedRun";
import { pendingNames } from "../state/ownResources";
import { makeRunFolder } from "../state/state";
import { captureOnStack } from "./runOnStack";
import type { PulumiContext } from "./setup";

/** An exported state; only the fields that are read here. */
export interface Export {
  readonly deployment?: { readonly resources?: readonly Resource[] };
}

/**
 * Changes resources in the state. Removes pending operations from it, as `pulumi stack import` does, and records the names of their resources.
 *
 * @param checkpoint The state as it is.
 * @param change Returns the new resource.
 * @param failure Sentence for the error.
 * @throws CliError
 */
export async function editState(
  session: Session,
  engine: PulumiContext,
  checkpoint: Checkpoint,
  change: (resource: Resource) => Resource,
  failure: string,
): Promise<void> {
  const stack = ["--stack", session.stack.reference ?? session.stack.name, "--non-interactive"];
  const pulumi = async (...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await captureOnStack(session, engine, [...args, ...stack]);
    if (exitCode === 0) return stdout;
    throw new CliError(failure, {
      details: stderr.trim().split("\n"),
      detailsTitle: `pulumi ${args.slice(0, 2).join(" ")}`,
      hint: "The state is unchanged. Fix the cause, then run the command again.",
    });
  };
  const pending = pendingNames(checkpoint);
  if (pending.length > 0)
    new InterruptedRun(session.state, session.stack.name).recordNames(pending);
  const exported = JSON.parse(await pulumi("stack", "export")) as Export;
  const folder = makeRunFolder(session.state);
  try {
    const file = join(folder, "state.json");
    const resources = exported.deployment?.resources?.map(change);
    const edited = { ...exported, deployment: { ...exported.deployment, resources } };
    writeFileSync(file, JSON.stringify(edited), { mode: 0o600 });
    await pulumi("stack", "import", "--file", file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
