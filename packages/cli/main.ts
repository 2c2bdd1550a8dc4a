import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { CliError, ExitCode } from "@store/docker/cliError";
import type { CommandGroup, StoreCommand } from "./commands/command";
import { systemError } from "./diagnostics/systemError";
import { undoStoreEnv } from "./host/shellEnvironment";
import { ROOT } from "./project/project";
import { noteConfigFile } from "./project/storeCommand";
import { renderError } from "./terminal/terminal";

/**
 * Loaders of the commands, in the order of `./store --help`. Add a new command here. A call loads only its own command's file.
 * (tsx doesn't compile files loaded with a dynamic import() here.)
 */
/* eslint-disable @typescript-eslint/no-require-imports */
export const COMMANDS: Readonly<Record<string, () => StoreCommand | CommandGroup>> = {
  up: () => (require("./commands/deploy/up") as typeof import("./commands/deploy/up")).up,
  preview: () =>
    (require("./commands/deploy/preview") as typeof import("./commands/deploy/preview")).preview,
  down: () => (require("./commands/deploy/down") as typeof import("./commands/deploy/down")).down,
  start: () => (require("./commands/host/start") as typeof import("./commands/host/start")).start,
  stop: () => (require("./commands/host/stop") as typeof import("./commands/host/stop")).stop,
  reboot: () =>
    (require("./commands/host/reboot") as typeof import("./commands/host/reboot")).reboot,
  ps: () => (require("./commands/inspect/ps") as typeof import("./commands/inspect/ps")).ps,
  logs: () => (require("./commands/inspect/logs") as typeof import("./commands/inspect/logs")).logs,
  exec: () => (require("./commands/inspect/exec") as typeof import("./commands/inspect/exec")).exec,
  open: () => (require("./commands/inspect/open") as typeof import("./commands/inspect/open")).open,
  token: () => (require("./commands/token/token") as typeof import("./commands/token/token")).token,
  url: () => (require("./commands/inspect/url") as typeof import("./commands/inspect/url")).url,
  ls: () => (require("./commands/inspect/ls") as typeof import("./commands/inspect/ls")).ls,
  ip: () => (require("./commands/inspect/ip") as typeof import("./commands/inspect/ip")).ip,
  env: () => (require("./commands/inspect/env") as typeof import("./commands/inspect/env")).env,
  ssh: () => (require("./commands/inspect/ssh") as typeof import("./commands/inspect/ssh")).ssh,
  sbom: () => (require("./commands/inspect/sbom") as typeof import("./commands/inspect/sbom")).sbom,
  doctor: () =>
    (require("./commands/inspect/doctor") as typeof import("./commands/inspect/doctor")).doctor,
  services: () =>
    (require("./commands/develop/services") as typeof import("./commands/develop/services"))
      .services,
  pulumi: () =>
    (require("./commands/deploy/pulumi") as typeof import("./commands/deploy/pulumi")).pulumi,
  state: () =>
    (require("./commands/deploy/state") as typeof import("./commands/deploy/state")).state,
  new: () =>
    (require("./commands/project/new") as typeof import("./commands/project/new")).newService,
  images: () =>
    (require("./commands/project/images") as typeof import("./commands/project/images")).images,
  completion: () =>
    (require("./commands/project/completion") as typeof import("./commands/project/completion"))
      .completion,
  rehearse: () =>
    (require("./commands/develop/rehearse") as typeof import("./commands/develop/rehearse"))
      .rehearse,
  ci: () => (require("./commands/ci/ci") as typeof import("./commands/ci/ci")).ci,
  test: () => (require("./commands/develop/test") as typeof import("./commands/develop/test")).test,
};
/* eslint-enable @typescript-eslint/no-require-imports */

/** Runs a command line and returns its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  process.stdout.on("error", exitOnClosedPipe);
  undoStoreEnv(process.env);
  try {
    return await run(args);
  } catch (error) {
    // Commander has already printed its message.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ExitCode.Usage;
    const expected = error instanceof CliError ? error : systemError(error);
    if (!expected) throw error;
    process.stderr.write(`${renderError(expected)}\n`);
    return expected.exitCode;
  }
}

/** Exits as if killed by SIGPIPE when the reader of stdout, such as `head`, has closed it. */
function exitOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(128 + constants.signals.SIGPIPE);
}

async function run(args: readonly string[]): Promise<number> {
  const [name = "", ...others] = args;
  const called = Object.hasOwn(COMMANDS, name) ? COMMANDS[name]?.() : undefined;
  if (called && "unparsed" in called && called.unparsed === true)
    return called.run({ args: others, flags: {}, rest: [] });

  const separator = args.indexOf("--");
  const own = separator < 0 ? args : args.slice(0, separator);
  const rest = separator < 0 ? [] : args.slice(separator + 1);
  const commands = called ? [called] : Object.values(COMMANDS).map((load) => load());
  let exitCode: number = ExitCode.Ok;
  const store = storeProgram();
  const setAction = (own: Command, command: StoreCommand): void => {
    own.action(async (...parameters: readonly unknown[]) => {
      const parsed = parameters.at(-1) as Command;
      noteConfigFile(parsed.opts<{ configFile?: string }>().configFile);
      exitCode = await command.run({ args: parsed.args, flags: parsed.opts(), rest });
    });
  };
  for (const command of commands) {
    if (!("subcommands" in command)) {
      setAction(register(store, command), command);
      continue;
    }
    const group = registerGroup(store, command);
    if (command.main) setAction(group, command.main);
    for (const load of selectSubcommands(command, others[0])) {
      const subcommand = load();
      setAction(register(group, subcommand), subcommand);
    }
  }
  await store.parseAsync([...own], { from: "user" });
  return exitCode;
}

/** Returns the loader of the called subcommand, or all loaders. */
function selectSubcommands({ subcommands }: CommandGroup, name = ""): (() => StoreCommand)[] {
  const called = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  return called ? [called] : Object.values(subcommands);
}

function storeProgram(): Command {
  return (
    new Command("store")
      .usage("COMMAND [options]")
      .description("Runs the online store on Docker: deploys, inspects and removes its stacks.")
      .version(packageVersion())
      .exitOverride()
      // Flags behind a subcommand's name are the subcommand's, also if its group has the same ones.
      .enablePositionalOptions()
      .showHelpAfterError(
        "(./store --help lists the commands, ./store COMMAND --help describes one)",
      )
      .configureHelp({ showGlobalOptions: false })
      .addHelpText("after", EXIT_CODES)
  );
}

function registerGroup(store: Command, command: CommandGroup): Command {
  const group = describeCommand(store.command(command.name), command);
  if (!command.main) return group.usage("COMMAND [options]");
  for (const argument of command.main.arguments ?? []) group.addArgument(argument);
  for (const flag of command.main.flags ?? []) group.addOption(flag);
  return group.usage(`[stack] [options]\n       store ${command.name} COMMAND [options]`);
}

function register(parent: Command, command: StoreCommand): Command {
  const { name, usage } = command;
  const subcommand = parent.command(name);
  if (usage !== undefined) subcommand.usage(usage);
  for (const argument of command.arguments ?? []) subcommand.addArgument(argument);
  for (const flag of command.flags ?? []) subcommand.addOption(flag);
  return describeCommand(subcommand, command);
}

/** Adds the texts of a command's help. */
function describeCommand(
  command: Command,
  { summary, examples, notes }: Pick<StoreCommand, "summary" | "examples" | "notes">,
): Command {
  command.summary(summary).description(summary);
  command.addHelpText("after", ["\nExamples:", ...examples.map((line) => `  ${line}`)].join("\n"));
  if (notes !== undefined) command.addHelpText("after", `\n${notes}`);
  return command.addHelpText("after", EXIT_CODES);
}

function packageVersion(): string {
  const text = readFileSync(join(ROOT, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`;
