import { diagnoseRun } from "../../diagnostics/diagnose";
import { ExitCode } from "@store/docker/cliError";
import { ensureSshFiles } from "../../host/remoteHost";
import { openSession, StackOptions } from "../../project/session";
import { ensureStack, runOnStack, setUpEngine } from "../../engine/setup";
import { reporter } from "../../terminal/terminal";

export interface PreviewOptions extends StackOptions {
  readonly refresh?: boolean;
  readonly diff?: boolean;
  /** Further options of `pulumi preview`. */
  readonly pulumi: readonly string[];
}

export async function preview(options: PreviewOptions): Promise<ExitCode> {
  const session = openSession(options);
  // What a preview needs of the base images is their names.
  const ready = await setUpEngine(session, reporter(), { baseImages: false });
  await ensureStack(session, ready);
  if (options.refresh) await ensureSshFiles(session);
  const run = await runOnStack(
    session,
    // Several resources at a time are compared with what the program asks for; an "up" takes them one after the other.
    { ...ready, env: { PULUMI_PARALLEL_DIFF: "true", ...ready.env } },
    [
      "preview",
      ...(options.refresh ? ["--refresh"] : []),
      ...(options.diff ? ["--diff"] : []),
      ...options.pulumi,
    ],
    { events: true },
  );
  if (run.exitCode !== 0) throw await diagnoseRun("preview", session, ready.docker, run);
  return ExitCode.Ok;
}
