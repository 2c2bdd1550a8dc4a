import { basename } from "node:path";
import { Argument, Option } from "commander";
import { ExitCode, UsageError } from "@store/docker/cliError";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { engineEnvironment } from "../../engine/environment/engineEnvironment";
import { removeStaleEngineLocks } from "../../engine/setup";
import { isLocal, openSession, Session, StackOptions } from "../../project/session";
import { absoluteUrl, type Backend, findBackend, isSameBackend } from "../../state/backend";
import { takeLock } from "../../state/locks";
import { finishMove, moveState, type MoveResult } from "../../state/move/moveState";
import { withPassphrase } from "../../state/move/switchBackend";
import { hasUserPassphrase, stackLockFile } from "../../state/state";
import { type Reporter, reporter } from "../../terminal/terminal";
import { type CommandGroup, defineCommand } from "../command";
import { parseStack, STACK_FLAGS, StackFlags } from "../stackFlags";
import { storeCommand } from "../../project/storeCommand";

interface StateFlags extends StackFlags {
  readonly local?: boolean;
  readonly secretsProvider?: string;
}

interface StateOptions extends StackOptions {
  /** URL of the new backend; undefined for the files of this checkout. */
  readonly url?: string;
  readonly secretsProvider: string;
}

const use = defineCommand<StateFlags, StateOptions>({
  name: "use",
  summary: "move a stack's state to a backend that a team shares, or back",
  usage: "URL [stack] [options]",
  arguments: [
    new Argument("[url]", "a Pulumi backend: azblob://…, s3://…, gs://…, file://…, https://…"),
    new Argument("[stack]", "the stack (default: dev)"),
  ],
  flags: [
    ...STACK_FLAGS,
    new Option("--local", "move the state back to files of this checkout"),
    new Option(
      "--secrets-provider <provider>",
      "`passphrase`, `default` (Pulumi Cloud), or a key such as azurekeyvault://VAULT.vault.azure.net/keys/KEY",
    ),
  ],
  examples: [
    "./store state use 'azblob://state?storage_account=teamstore' staging \\",
    "  --secrets-provider azurekeyvault://teamstore.vault.azure.net/keys/state",
    "./store state use --local staging",
  ],
  notes: `The URL is kept in Pulumi.STACK.yaml (store:stateBackend), which you commit: other checkouts then use the same state.
An interrupted move is run again. docs/team-state.md describes backends, keys and passphrases.`,
  parse: ({ args: [first, second], flags }) => {
    const [url, stack] = flags.local === true ? [undefined, first] : [first, second];
    if (flags.local === true && second !== undefined) throw twoTargets();
    if (flags.local !== true && url === undefined) throw noTarget();
    if (url !== undefined && !/^[a-z0-9]+:\/\/./.test(url)) throw notAUrl(url);
    const secretsProvider = flags.secretsProvider ?? defaultProvider(url);
    return { ...parseStack(flags, stack), url, secretsProvider };
  },
  run,
});

export const state: CommandGroup = {
  name: "state",
  summary: "share a stack's state with a team",
  examples: use.examples,
  subcommands: { use: () => use },
};

/** Pulumi Cloud encrypts secrets itself. */
function defaultProvider(url: string | undefined): string {
  return url?.startsWith("https://") ? "default" : "passphrase";
}

async function run({ url, secretsProvider, ...options }: StateOptions): Promise<ExitCode> {
  const session = openSession(options);
  const { stack, state } = session;
  const report = reporter();
  refuseVariable(session);
  const to = targetOf(session, url);
  const release = takeLock(stackLockFile(state, stack.name), stack.name, `state use ${stack.name}`);
  try {
    await removeStaleEngineLocks(session, report);
    const engine = await ensureEngine(report);
    const env = withPassphrase(session, engineEnvironment(session, engine));
    const request = { session, engine: { engine, env }, to, choice: url, secretsProvider, report };
    if (isSameBackend(to.url, state.backend.url)) {
      const backup = await finishMove(request);
      report.note(alreadyThere(session, backup));
      return ExitCode.Ok;
    }
    const result = await moveState(request);
    process.stdout.write(renderResult(session, to, secretsProvider, result));
    noteLocalStack(session, to, report);
    return ExitCode.Ok;
  } finally {
    release();
  }
}

/** @throws UsageError if the checkout's own choice of a backend, without the stack's, isn't its files. */
function targetOf({ project, stack, state }: Session, url: string | undefined): Backend {
  if (url !== undefined) {
    const from = "the command line";
    return { kind: "user", url: absoluteUrl(url, project.root), from, isStackChoice: true };
  }
  const backend = findBackend(project, state.folder);
  if (backend.kind === "workspace") return backend;
  throw new UsageError(
    `--local means the files of this checkout, but ${backend.from} selects ${backend.url} for all stacks.`,
    `${removeChoice(backend.from)}, or name the backend: ${storeCommand(`state use '${backend.url}'`, stack.name)}`,
  );
}

/** Returns how to remove a choice of a backend for all stacks. */
export function removeChoice(from: string): string {
  if (from.startsWith("the login")) return "Log out (./store pulumi logout)";
  return from.startsWith("Pulumi.yaml") ? "Remove backend.url from Pulumi.yaml" : `Unset ${from}`;
}

function refuseVariable({ state: { backend }, project, stack }: Session): void {
  if (backend.kind === "workspace" || backend.from !== "PULUMI_BACKEND_URL") return;
  throw new UsageError(
    `PULUMI_BACKEND_URL selects the backend ${backend.url}, and has precedence over the choice that this command saves.`,
    `If the stack's state is there, save that first: ${storeCommand(`pulumi config set ${project.name}:stateBackend '${backend.url}'`, stack.name)}\n` +
      `Then: unset PULUMI_BACKEND_URL`,
  );
}

function alreadyThere({ state, stack }: Session, backup: string | undefined): string {
  const renamed = backup === undefined ? "" : `; the old state is kept as ${backup}`;
  return `the stack ${stack.name} already uses ${state.backend.url}${renamed}`;
}

function renderResult(
  { stack, state, project }: Session,
  to: Backend,
  secretsProvider: string,
  { backup, historyLeft, resources, history }: MoveResult,
): string {
  const file = basename(stack.file);
  const { name } = stack;
  const back = state.backend.kind === "workspace" ? "--local" : `'${state.backend.url}'`;
  const lines = [
    `The state of ${name} is now at ${to.url}: ${resources} resources, ${history} history entries, all compared.`,
    ...(historyLeft === undefined ? [] : [`The history stays with the old state: ${historyLeft}.`]),
    `The old state is kept at ${state.backend.url} as the stack ${backup}.`,
    to.kind === "workspace"
      ? `Commit ${file}. Only this checkout has the state now.`
      : `Commit ${file}, so that other checkouts use it (${project.name}:stateBackend).`,
    ...(to.kind === "user" && secretsProvider === "passphrase"
      ? [
          hasUserPassphrase()
            ? "Others need the same PULUMI_CONFIG_PASSPHRASE."
            : `Others need a copy of ${state.passphraseFile}, at the same place in their checkout.`,
        ]
      : []),
    `Check: ${storeCommand("preview", name)}`,
    `Go back: ${storeCommand(`state use ${back}`, name)}`,
  ];
  return `${lines.join("\n")}\n`;
}

function noteLocalStack(session: Session, to: Backend, report: Reporter): void {
  if (to.kind === "workspace" || !isLocal(session)) return;
  report.note(
    "this stack's containers run on one machine's Docker: only checkouts there can use it",
  );
}

const noTarget = (): UsageError =>
  new UsageError(
    "Name the backend.",
    "For example: ./store state use azblob://state?storage_account=NAME staging",
  );
const twoTargets = (): UsageError =>
  new UsageError("--local and a URL name two backends.", "Name one of them.");
const notAUrl = (text: string): UsageError =>
  new UsageError(
    `"${text}" is not the URL of a backend.`,
    "Examples: azblob://state?storage_account=NAME, s3://BUCKET, file:///mnt/state, https://api.pulumi.com",
  );
