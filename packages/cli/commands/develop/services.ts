import { Argument, Option } from "commander";
import { ExitCode } from "@store/docker/cliError";
import type { RunServicesOptions } from "../../devServices/runServices";
import { defineCommand, portNumber } from "../command";

interface ServicesFlags {
  readonly port: number;
  readonly postgres?: string;
}

export const services = defineCommand<ServicesFlags, RunServicesOptions>({
  name: "services",
  summary: "run services from source, without Docker, and restart them on changes",
  arguments: [
    new Argument("[service...]", "services to run with their dependencies (default: all)"),
  ],
  flags: [
    new Option("-p, --port <port>", "port of the reverse proxy in front of the services")
      .argParser(portNumber)
      .default(8080),
    new Option(
      "--postgres <url>",
      "PostgreSQL server; each service gets a database store_NAME (default: PGlite, in this process)",
    ),
  ],
  examples: [
    "./store services",
    "./store services orders          only orders and its dependencies",
    "./store services --port 9000",
    "./store services --postgres postgres://me:secret@localhost:5432",
  ],
  parse: ({ args, flags: { port, postgres } }) => ({ services: args, port, postgres }),
  run,
});

/** Loads PGlite and the services' specs on first use: they would slow down `./store --help`. */
function loadDevServices(): typeof import("../../devServices/runServices") {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require("../../devServices/runServices") as typeof import("../../devServices/runServices");
}

async function run(options: RunServicesOptions): Promise<ExitCode> {
  await loadDevServices().runServices(options);
  return ExitCode.Ok;
}
