import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { Argument, Command, CommanderError, Option } from "commander";
import { CliError, ExitCode, UsageError } from "@store/docker/cliError";
import { DEFAULT_STACK, ROOT } from "./project/project";
import { renderError } from "./terminal/terminal";

/** @returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  process.stdout.on("error", endUnread);
  try {
    return await run(args);
  } catch (error) {
    // commander has said itself what is wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ExitCode.Usage;
    if (!(error instanceof CliError)) throw error;
    process.stderr.write(`${renderError(error)}\n`);
    return error.exitCode;
  }
}

/** Whoever read it has read enough, such as `head`: ends like a command that SIGPIPE ends. */
function endUnread(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(128 + constants.signals.SIGPIPE);
}

async function run(args: readonly string[]): Promise<number> {
  // Everything after the word is the engine's, its --help too.
  if (args[0] === "pulumi") return verbs.pulumi().pulumi(args.slice(1));

  const dashes = args.indexOf("--");
  const own = dashes < 0 ? args : args.slice(0, dashes);
  const call: Call = { exitCode: ExitCode.Ok, passed: dashes < 0 ? [] : args.slice(dashes + 1) };
  await program(call).parseAsync([...own], { from: "user" });
  return call.exitCode;
}

/** One call of the command. */
interface Call {
  exitCode: number;
  /** What stands after `--`. */
  readonly passed: readonly string[];
}

function program(call: Call): Command {
  const store = new Command("store")
    .usage("VERB [options]")
    .description("The store on Docker: brings it up on this machine, looks into it, takes it down.")
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError("(./store --help lists the verbs, ./store VERB --help explains one)")
    .configureHelp({ showGlobalOptions: false })
    .addHelpText("after", EXIT_CODES);

  const verb = (name: string, summary: string, ...examples: readonly string[]): Command =>
    store
      .command(name)
      .summary(summary)
      .description(summary)
      .addHelpText("after", [`\nExamples:`, ...examples.map((line) => `  ${line}`)].join("\n"));

  withStackArgument(
    verb(
      "up",
      "build what has changed and bring the stack up",
      "./store up",
      "./store up staging --yes",
      "./store up -- --diff        options of `pulumi up` after --",
    ),
  )
    .option("-y, --yes", "don't ask before a stack on another machine is changed")
    .option("--refresh", "compare the engine's record with what is really there first")
    .addHelpText("after", CONFIGURATION)
    .action(async (name: string | undefined, options: StackOptions & UpOptions) => {
      call.exitCode = await verbs
        .up()
        .up({ ...options, stack: stackOf(name, options), pulumi: call.passed });
    });

  withStackArgument(
    verb(
      "preview",
      "say what `up` would change, and change nothing",
      "./store preview",
      "./store preview --diff",
      "./store preview --refresh -- --expect-no-changes",
    ),
  )
    .option("--refresh", "compare the engine's record with what is really there first")
    .option("--diff", "show each property that changes")
    .action(async (name: string | undefined, options: StackOptions & PreviewOptions) => {
      call.exitCode = await verbs
        .preview()
        .preview({ ...options, stack: stackOf(name, options), pulumi: call.passed });
    });

  withStackArgument(
    verb(
      "down",
      "take the stack down; data stays unless --volumes is given",
      "./store down",
      "./store down --yes",
      "./store down --volumes      the data and the databases' passwords go too",
    ),
  )
    .option("-y, --yes", "don't ask")
    .option("--volumes", "delete the data too")
    .action(async (name: string | undefined, options: StackOptions & DownOptions) => {
      call.exitCode = await verbs
        .down()
        .down({ ...options, stack: stackOf(name, options), pulumi: call.passed });
    });

  withStackArgument(verb("ps", "list what runs and how it is", "./store ps", "./store ps --json"))
    .option("--memory", "with how much memory each one uses; takes a second longer")
    .option("--json", "print it as JSON")
    .action(async (name: string | undefined, options: StackOptions & PsOptions) => {
      call.exitCode = await verbs.ps().ps({ ...options, stack: stackOf(name, options) });
    });

  withStackOption(
    verb(
      "logs",
      "print what the services have logged",
      "./store logs",
      "./store logs orders -f",
      "./store logs orders-database --tail 20",
    ),
  )
    .argument("[service]", "a service, NAME-database or gateway; otherwise all")
    .option("-f, --follow", "go on with what they log from now on, also after they are replaced")
    .option("-n, --tail <lines>", "how many lines of each container", wholeNumber, 100)
    .action(async (service: string | undefined, options: StackOptions & LogsOptions) => {
      call.exitCode = await verbs
        .logs()
        .logs({ ...options, stack: stackOf(undefined, options), service });
    });

  withStackOption(
    verb(
      "exec",
      "run a command in a service's container",
      "./store exec orders -- node --version",
      "./store exec inventory-database -- psql -U inventory",
      "./store exec orders --replica 1 -- node",
    ),
  )
    .usage("<service> [options] -- COMMAND...")
    .argument("<service>", "a service, NAME-database or gateway")
    .option("--replica <n>", "which instance; otherwise the first healthy one", wholeNumber)
    .action(async (service: string, options: StackOptions & { replica?: number }) => {
      call.exitCode = await verbs.exec().exec({
        ...options,
        stack: stackOf(undefined, options),
        service,
        command: call.passed,
      });
    });

  withStackArgument(
    verb("open", "print the store's address and open it in a browser", "./store open"),
  ).action(async (name: string | undefined, options: StackOptions) => {
    call.exitCode = await verbs.open().open({ ...options, stack: stackOf(name, options) });
  });

  withStackArgument(
    verb(
      "token",
      "print the token of the store's own people: a secret",
      "./store token",
      'curl -H "Authorization: Bearer $(./store token)" http://localhost:8080/api/inventory/stock',
    ),
  ).action(async (name: string | undefined, options: StackOptions) => {
    call.exitCode = await verbs.token().token({ ...options, stack: stackOf(name, options) });
  });

  withStackArgument(
    verb("url", "print the store's address", "./store url", "curl $(./store url staging)/api"),
  ).action(async (name: string | undefined, options: StackOptions) => {
    call.exitCode = await verbs.url().url({ ...options, stack: stackOf(name, options) });
  });

  verb("ls", "list the stacks, where they run and how they are", "./store ls", "./store ls --json")
    .option("--json", "print it as JSON")
    .action(async (options: { json?: boolean }) => {
      call.exitCode = await verbs.ls().ls(options);
    });

  withStackArgument(
    verb("ip", "print the address of the stack's host", "./store ip staging"),
  ).action(async (name: string | undefined, options: StackOptions) => {
    call.exitCode = await verbs.ip().ip({ ...options, stack: stackOf(name, options) });
  });

  withStackArgument(
    verb(
      "env",
      "print what makes the docker command talk to the stack's host",
      'eval "$(./store env staging)"',
      'eval "$(./store env --unset)"    back to what was before',
    ),
  )
    .option("--unset", "print what undoes it")
    .action(async (name: string | undefined, options: StackOptions & { unset?: boolean }) => {
      call.exitCode = await verbs.env().env({ ...options, stack: stackOf(name, options) });
    });

  withStackArgument(
    verb(
      "ssh",
      "log in to the stack's host, or run a command there",
      "./store ssh staging",
      "./store ssh staging -- docker ps",
    ),
  ).action(async (name: string | undefined, options: StackOptions) => {
    call.exitCode = await verbs
      .ssh()
      .ssh({ ...options, stack: stackOf(name, options), command: call.passed });
  });

  withStackOption(
    verb(
      "doctor",
      "say what is found, what is missing and what to do; changes nothing",
      "./store doctor",
    ),
  ).action(async (options: StackOptions) => {
    call.exitCode = await verbs.doctor().doctor({ ...options, stack: stackOf(undefined, options) });
  });

  verb(
    "services",
    "run services from their sources without Docker, on databases in this process; a change restarts them",
    "./store services",
    "./store services orders          only orders and what it needs",
    "./store services --port 9000",
    "./store services --postgres postgres://me:secret@localhost:5432",
  )
    .argument("[service...]", "services to run, with those that they need; otherwise all")
    .option("-p, --port <port>", "port of the one address for all of them", wholeNumber, 8080)
    .option(
      "--postgres <url>",
      "a PostgreSQL of your own; each service gets a database store_NAME there",
    )
    .action(async (names: readonly string[], options: { port: number; postgres?: string }) => {
      call.exitCode = await verbs.services().services({ services: names, ...options });
    });

  verb(
    "pulumi",
    "run the engine itself with the right environment",
    "./store pulumi config set httpPort 9000",
    "./store pulumi stack output",
    "./store pulumi up -s staging",
  )
    .usage("[arguments of pulumi]")
    .addHelpText(
      "after",
      "\nThe stack is dev unless -s names another one. The exit code is pulumi's.",
    );

  verb(
    "rehearse",
    "run the staging stack from nothing to nothing on a stand-in for Azure on this machine",
    "./store rehearse",
    "./store rehearse --keep                 and look at it afterwards",
    "./store rehearse --fail quota           see how it fails, and how it goes on",
  )
    .option("--keep", "leave it running, and say how to look into it and how to end it")
    .option(
      "--fail <what...>",
      "break something first, one after the other; an unknown word lists what can be broken",
    )
    .addOption(
      new Option(
        "--host <kind>",
        "a VM that the stack makes in Azure, or a machine with SSH and without Docker",
      )
        .choices(["azure", "ssh"])
        .default("azure"),
    )
    .addOption(
      new Option(
        "--registry <whose>",
        "a registry that is named, or one that the stack makes in Azure",
      )
        .choices(["named", "azure"])
        .default("named"),
    )
    .option(
      "--pace <factor>",
      "1: take the time that Azure takes for its resources, 0: none",
      Number,
      0.1,
    )
    .action(async (options: RehearseOptions) => {
      call.exitCode = await verbs.rehearse().rehearse(options);
    });

  verb(
    "test",
    "run the tests; the last line says how many passed and failed",
    "./store test",
    "./store test unit -- --grep config",
  )
    .addArgument(
      new Argument("[tier]", "one of them; otherwise all").choices([
        "unit",
        "services",
        "saga",
        "browser",
        "integration",
        "rehearsal",
      ]),
    )
    .action(async (tier: string | undefined) => {
      call.exitCode = await verbs.test().test({ tier, mocha: call.passed });
    });

  for (const command of store.commands) command.addHelpText("after", EXIT_CODES);
  return store;
}

function packageVersion(): string {
  const text = readFileSync(join(ROOT, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

// Each verb's code is loaded when it is called, so that the others cost nothing. tsx doesn't see a dynamic import() here.
/* eslint-disable @typescript-eslint/no-require-imports */
const verbs = {
  up: () => require("./commands/deploy/up") as typeof import("./commands/deploy/up"),
  preview: () => require("./commands/deploy/preview") as typeof import("./commands/deploy/preview"),
  down: () => require("./commands/deploy/down") as typeof import("./commands/deploy/down"),
  ps: () => require("./commands/inspect/ps") as typeof import("./commands/inspect/ps"),
  logs: () => require("./commands/inspect/logs") as typeof import("./commands/inspect/logs"),
  exec: () => require("./commands/inspect/exec") as typeof import("./commands/inspect/exec"),
  open: () => require("./commands/inspect/open") as typeof import("./commands/inspect/open"),
  services: () =>
    require("./commands/develop/services") as typeof import("./commands/develop/services"),
  token: () => require("./commands/inspect/token") as typeof import("./commands/inspect/token"),
  url: () => require("./commands/inspect/url") as typeof import("./commands/inspect/url"),
  ls: () => require("./commands/inspect/ls") as typeof import("./commands/inspect/ls"),
  ip: () => require("./commands/inspect/ip") as typeof import("./commands/inspect/ip"),
  env: () => require("./commands/inspect/env") as typeof import("./commands/inspect/env"),
  ssh: () => require("./commands/inspect/ssh") as typeof import("./commands/inspect/ssh"),
  doctor: () => require("./commands/inspect/doctor") as typeof import("./commands/inspect/doctor"),
  pulumi: () => require("./commands/deploy/pulumi") as typeof import("./commands/deploy/pulumi"),
  rehearse: () =>
    require("./commands/develop/rehearse") as typeof import("./commands/develop/rehearse"),
  test: () => require("./commands/develop/test") as typeof import("./commands/develop/test"),
};
/* eslint-enable @typescript-eslint/no-require-imports */

interface StackOptions {
  readonly stack?: string;
  readonly configFile?: string;
}

interface UpOptions {
  readonly yes?: boolean;
  readonly refresh?: boolean;
}

interface RehearseOptions {
  readonly keep?: boolean;
  readonly fail?: readonly string[];
  readonly host: "azure" | "ssh";
  readonly registry: "named" | "azure";
  readonly pace: number;
}

interface PreviewOptions {
  readonly diff?: boolean;
  readonly refresh?: boolean;
}

interface DownOptions {
  readonly yes?: boolean;
  readonly volumes?: boolean;
}

interface PsOptions {
  readonly json?: boolean;
  readonly memory?: boolean;
}

interface LogsOptions {
  readonly follow?: boolean;
  readonly tail: number;
}

function withStackArgument(command: Command): Command {
  return withStackOption(command.argument("[stack]", `the stack (default: ${DEFAULT_STACK})`));
}

function withStackOption(command: Command): Command {
  return command
    .option("-s, --stack <stack>", `the stack (default: ${DEFAULT_STACK})`)
    .option("--config-file <file>", "its values, instead of Pulumi.STACK.yaml");
}

function stackOf(argument: string | undefined, options: StackOptions): string {
  if (argument !== undefined && options.stack !== undefined && argument !== options.stack) {
    throw new UsageError(`Two stacks are named: ${argument} and ${options.stack} (--stack).`);
  }
  return argument ?? options.stack ?? DEFAULT_STACK;
}

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new UsageError(`"${text}" should be a whole number.`);
}

const CONFIGURATION = `
What runs is configuration of the stack, kept in Pulumi.STACK.yaml; the next \`up\` takes it:
  ./store pulumi config set httpPort 9000                   another port
  ./store pulumi config set --path 'services[0]' orders     only orders and what it needs
  ./store pulumi config set --path 'live[0]' orders         orders from its sources, restarted on a change
  ./store pulumi config set --path replicas.orders 2        two instances of orders
  ./store pulumi config rm services                         back to the default`;

const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`;
