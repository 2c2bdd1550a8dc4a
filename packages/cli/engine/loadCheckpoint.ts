import { ensureEngine } from "@store/toolchain/engine/engine";
import { Checkpoint, parseExport } from "../state/checkpoint";
import { captureEngine } from "./runEngine";
import { CliError } from "@store/docker/cliError";
import { storeCommand } from "../project/storeCommand";
import { Session } from "../project/session";
import { readStackCheckpoint } from "../state/state";
import { reporter } from "../terminal/terminal";
import { engineEnvironment } from "./environment/engineEnvironment";
import type { PulumiContext } from "./setup";

/**
 * Reads the stack's state, from a local file or from the backend. Returns undefined if there is no such stack.
 *
 * @throws CliError
 */
export async function fetchCheckpoint(
  session: Session,
  context: PulumiContext,
): Promise<Checkpoint | undefined> {
  const { state, stack, project } = session;
  if (state.backend.kind === "workspace") return readStackCheckpoint(state, stack.name);
  const { exitCode, stdout, stderr } = await captureEngine({
    pulumi: context.engine.pulumi,
    args: ["stack", "export", "--stack", stack.reference ?? stack.name, "--non-interactive"],
    cwd: project.root,
    env: context.env,
  });
  if (exitCode === 0) return parseExport(stdout);
  if (/no stack named/.test(stderr)) return undefined;
  throw new CliError(`Can't read the state of the stack ${stack.name} from ${state.backend.url}.`, {
    details: stderr.trim().split("\n"),
    detailsTitle: "pulumi stack export",
    hint: `Check the login: ${storeCommand("pulumi whoami --verbose", stack.name)}`,
  });
}

/**
 * Reads the stack's state like {@link fetchCheckpoint}, for commands that run no engine. Provides the engine only for a backend of
 * the user's.
 */
export async function loadCheckpoint(session: Session): Promise<Checkpoint | undefined> {
  const { state, stack } = session;
  if (state.backend.kind === "workspace") return readStackCheckpoint(state, stack.name);
  const engine = await ensureEngine(reporter());
  return fetchCheckpoint(session, { engine, env: engineEnvironment(session, engine) });
}

/** Returns the creation date of the stack's oldest unprotected resource; undefined if it has none. */
export async function oldestResourceDate(session: Session): Promise<Date | undefined> {
  const checkpoint = await loadCheckpoint(session);
  const dates = (checkpoint?.resources ?? [])
    .filter(({ id, protect, created }) => id !== undefined && !protect && created !== undefined)
    .map(({ created }) => new Date(created ?? NaN));
  return dates.length === 0 ? undefined : new Date(Math.min(...dates.map(Number)));
}
