import { Argument, Option } from "commander";
import { ExitCode } from "@store/docker/cliError";
import { connect } from "../../docker/connect";
import { displayName, StoreContainer } from "../../docker/containers";
import type { Docker } from "@store/docker/docker";
import { followLogs, PrintLine } from "../../docker/followLogs";
import { LogLine, readLog } from "../../docker/logs";
import { refuseStackName, selectContainers } from "../../docker/selectContainers";
import { openSession, StackOptions } from "../../project/session";
import { colors } from "../../terminal/terminal";
import { defineCommand, wholeNumber } from "../command";
import { parseStack, STACK_FLAGS, StackFlags } from "../stackFlags";

interface LogsFlags extends StackFlags {
  readonly follow?: boolean;
  readonly tail: number;
}

interface LogsOptions extends StackOptions {
  /** Name of a service, NAME-database or gateway. Defaults to all containers. */
  readonly service?: string;
  readonly follow: boolean;
  /** Number of lines per container. */
  readonly tail: number;
}

export const logs = defineCommand<LogsFlags, LogsOptions>({
  name: "logs",
  summary: "print the services' logs",
  arguments: [new Argument("[service]", "a service, NAME-database or gateway (default: all)")],
  flags: [
    ...STACK_FLAGS,
    new Option("-f, --follow", "keep printing new lines, also of replacement containers"),
    new Option("-n, --tail <lines>", "number of lines per container")
      .argParser(wholeNumber)
      .default(100),
  ],
  examples: ["./store logs", "./store logs orders -f", "./store logs orders-database --tail 20"],
  parse: ({ args: [service], flags }) => ({
    ...parseStack(flags),
    service,
    follow: flags.follow === true,
    tail: flags.tail,
  }),
  run,
});

async function run(options: LogsOptions): Promise<ExitCode> {
  const session = openSession(options);
  refuseStackName(session, options.service, "logs");
  const { docker } = await connect(session);
  const containers = await selectContainers(session, docker, options.service);
  const print = linePrinter(containers);
  if (options.follow) await followLogs({ ...options, session, docker, containers, print });
  else await printSorted(docker, options.tail, containers, print);
  return ExitCode.Ok;
}

/** Prints the last lines of all containers in the order of their time stamps. */
async function printSorted(
  docker: Docker,
  tail: number,
  containers: readonly StoreContainer[],
  print: PrintLine,
): Promise<void> {
  const lines = await Promise.all(
    containers.map(async (container) => {
      const read: { container: StoreContainer; line: LogLine }[] = [];
      for await (const line of readLog(docker, container, { tail })) {
        read.push({ container, line });
      }
      return read;
    }),
  );
  const sorted = lines.flat().sort((a, b) => (a.line.time < b.line.time ? -1 : 1));
  for (const { container, line } of sorted) print(container, line);
}

/** Returns a printer that puts the container's label in front of each line, in one color per service. */
function linePrinter(containers: readonly StoreContainer[]): PrintLine {
  const hasReplicas = (name: string): boolean =>
    containers.filter((container) => displayName(container) === name).length > 1;
  const labelOf = (container: StoreContainer): string => {
    const name = displayName(container);
    return hasReplicas(name) ? `${name}-${container.replica ?? container.id.slice(0, 4)}` : name;
  };
  const width = Math.max(0, ...containers.map((container) => labelOf(container).length));
  const { cyan, yellow, green, magenta, blue, red } = colors;
  const paints = [cyan, yellow, green, magenta, blue, red];
  const services = [...new Set(containers.map(({ service }) => service))];
  return (container, line) => {
    if (!services.includes(container.service)) services.push(container.service);
    const paint = paints[services.indexOf(container.service) % paints.length] ?? cyan;
    process.stdout.write(`${paint(`${labelOf(container).padEnd(width)} |`)} ${line.text}\n`);
  };
}
