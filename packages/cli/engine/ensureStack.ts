import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { stringify } from "yaml";
import { captureEngine } from "./runEngine";
import { CliError } from "@store/docker/cliError";
import { storeCommand } from "../project/storeCommand";
import { Session } from "../project/session";
import { wrongPassphrase } from "../state/passphrase";
import { readStackCheckpoint, makeRunFolder } from "../state/state";
import { MoveJournal } from "../state/move/moveJournal";
import { secretsProviderIn } from "../state/stackFile";
import type { PulumiContext } from "./setup";

/** Creates the stack in its backend if it doesn't exist. */
export async function ensureStack(session: Session, context: PulumiContext): Promise<void> {
  const { project, stack, state } = session;
  if (state.backend.kind === "user") return ensureStackOnUserBackend(session, context);
  if (readStackCheckpoint(state, stack.name) !== undefined) return;
  refuseMoved(session);

  // `stack init` writes the salt into the stack's configuration file and has no option for another file, so it runs in a copy
  // of the project.
  const folder = mkdtempSync(join(makeRunFolder(state), "project-"));
  try {
    writeFileSync(
      join(folder, "Pulumi.yaml"),
      stringify({ name: project.name, runtime: "nodejs" }),
    );
    await initStack(session, context, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Refuses to create a stack whose state was moved away: a commit before the move would create all resources again.
 *
 * @throws CliError
 */
function refuseMoved({ state, stack, project }: Session): void {
  const move = new MoveJournal(state, stack.name).read();
  if (move === undefined || move.step === "copying" || move.from !== state.backend.url) return;
  throw new CliError(
    `The state of the stack ${stack.name} was moved to ${move.to}, but ${basename(stack.file)} doesn't name that backend.`,
    {
      hint:
        `Check out a commit since the move, or name it: ${storeCommand(`pulumi config set ${project.name}:stateBackend '${move.to}'`, stack.name)}\n` +
        `To begin with an empty state instead, delete .store/moves/${stack.name}.json.`,
    },
  );
}

/** Creates the stack on a backend of the user's. Remembers it in a file, to avoid a request to the backend before each `up`. */
async function ensureStackOnUserBackend(session: Session, context: PulumiContext): Promise<void> {
  const { state, stack, project } = session;
  const key = createHash("sha256")
    .update(`${state.backend.url}\n${stack.reference ?? stack.name}`)
    .digest("hex");
  const known = join(state.folder, "known-stacks", key.slice(0, 16));
  if (existsSync(known)) return;
  // The engine keeps the provider in the stack's file, but doesn't read it there for a new stack.
  const provider = secretsProviderIn(readFileSync(stack.file, "utf8"));
  await initStack(session, context, project.root, provider);
  mkdirSync(join(state.folder, "known-stacks"), { recursive: true });
  writeFileSync(known, `${stack.name} on ${state.backend.url}\n`);
}

async function initStack(
  session: Session,
  context: PulumiContext,
  cwd: string,
  secretsProvider?: string,
): Promise<void> {
  const { stack } = session;
  const name = stack.reference ?? stack.name;
  const { exitCode, stdout, stderr } = await captureEngine({
    pulumi: context.engine.pulumi,
    args: [
      ...["stack", "init", name, "--no-select", "--non-interactive", "--color", "never"],
      ...(secretsProvider === undefined ? [] : ["--secrets-provider", secretsProvider]),
    ],
    cwd,
    env: context.env,
  });
  if (exitCode === 0 || /already exists/.test(stderr + stdout)) return;
  // The engine asks for the passphrase before it finds that the stack exists.
  if (/passphrase must be set|incorrect passphrase/.test(stderr)) {
    const { summary, hint } = wrongPassphrase(session);
    throw new CliError(summary, { hint });
  }
  throw new CliError(`Creating the stack ${name} failed.`, {
    details: (stderr || stdout).trim().split("\n"),
    detailsTitle: "pulumi stack init",
    hint: `${storeCommand("doctor", stack.name)} says which backend is in use.`,
  });
}
