import { Argument, Option } from "commander";
import { CliError, ExitCode } from "@store/docker/cliError";
import { run as runProgram } from "@store/toolchain/system/run";
import { ROOT } from "../../project/project";
import { reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";

const LANGUAGES = ["node", "go", "python"] as const;
export type Language = (typeof LANGUAGES)[number];

interface NewFlags {
  readonly lang: Language;
  /** False with --no-install. */
  readonly install: boolean;
}

interface NewOptions extends NewFlags {
  readonly service: string;
}

export const newService = defineCommand<NewFlags, NewOptions>({
  name: "new",
  summary: "create the folder of a new service, with a test",
  arguments: [new Argument("<name>", "the service's name, such as gifts")],
  flags: [
    new Option("--lang <language>", "the language").choices(LANGUAGES).default("node"),
    new Option("--no-install", "don't add a Node service to package-lock.json"),
  ],
  examples: ["./store new gifts", "./store new reviews --lang python"],
  notes: "docs/adding-a-service.md describes what a service must do.",
  parse: ({ args: [service = ""], flags }) => ({ ...flags, service }),
  run,
});

async function run({ service, lang, install }: NewOptions): Promise<ExitCode> {
  // Not at the top: the schema of a spec would slow down `./store --help`.
  const { createService } =
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    require("../../project/newService") as typeof import("../../project/newService");
  const files = createService(ROOT, service, lang);
  if (lang === "node" && install) await installPackages(service);
  process.stdout.write(
    [
      `Created services/${service}:`,
      ...files.map((file) => `  ${file}`),
      "",
      ...NEXT_STEPS[lang](service).map(([command, purpose]) => `  ${command.padEnd(48)}${purpose}`),
      "",
    ].join("\n"),
  );
  return ExitCode.Ok;
}

/** Adds the npm workspace to package-lock.json, without which `npm ci` fails. */
async function installPackages(service: string): Promise<void> {
  reporter().step("Adding the service to package-lock.json (npm install)");
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { code, stderr } = await runProgram("npm", args, { cwd: ROOT });
  if (code === 0) return;
  throw new CliError(`services/${service} was created, but npm install failed.`, {
    details: stderr.trim().split("\n").slice(-5),
    detailsTitle: "npm install",
    hint: "Run npm install when the registry can be reached.",
  });
}

type Step = readonly [command: string, purpose: string];

const NEXT_STEPS: Readonly<Record<Language, (service: string) => readonly Step[]>> = {
  node: (service) => [
    [`./store test services -- --grep ${service}`, "run its tests"],
    ["npm run contracts", "write its OpenAPI document, to commit"],
    ["./store up", "run it: /api/" + service + "/items"],
  ],
  go: (service) => [
    [`(cd services/${service} && go test ./...)`, "run its tests"],
    ["./store up", "run it: /api/" + service + "/items"],
  ],
  python: (service) => [
    [`(cd services/${service} && python3 -m unittest)`, "run its tests"],
    ["./store up", "run it: /api/" + service + "/items"],
  ],
};
