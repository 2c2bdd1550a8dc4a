import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { CliError, UsageError } from "@store/docker/cliError";

/** The Pulumi project: what Pulumi.yaml says that the command has to know before the engine runs. */
export interface Project {
  readonly root: string;
  readonly name: string;
  /** `backend.url`, where the project has one of its own. */
  readonly backendUrl?: string;
  /** Defaults of the configuration keys, by their full name (`store:httpPort`). */
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** The stack that a verb is about. */
export interface Stack {
  readonly name: string;
  /** Where its values stand: Pulumi.NAME.yaml or what --config-file names. */
  readonly file: string;
}

export const ROOT = resolve(__dirname, "../../..");

export const DEFAULT_STACK = "dev";

/** How a verb is called for the stack: the default one needs no naming. */
export function storeCommand(verb: string, stack: string): string {
  return `./store ${verb}${stack === DEFAULT_STACK ? "" : ` ${stack}`}`;
}

/** The same for verbs that have other arguments, where the stack is an option at the end. */
export function stackOption(stack: string): string {
  return stack === DEFAULT_STACK ? "" : ` -s ${stack}`;
}

export function readProject(root: string = ROOT): Project {
  return parseProject(root, readFileSync(join(root, "Pulumi.yaml"), "utf8"));
}

export function parseProject(root: string, text: string): Project {
  const yaml = parseYaml("Pulumi.yaml", text);
  const name = yaml["name"];
  if (typeof name !== "string") throw new CliError(`Pulumi.yaml has no "name".`);
  const backend = yaml["backend"];
  const url = isMapping(backend) ? backend["url"] : undefined;
  const schema = isMapping(yaml["config"]) ? yaml["config"] : {};
  const defaults = Object.entries(schema).flatMap(([key, declared]) =>
    isMapping(declared) && "default" in declared
      ? [[withNamespace(name, key), declared["default"]]]
      : [],
  );
  return {
    root,
    name,
    backendUrl: typeof url === "string" ? url : undefined,
    defaults: Object.fromEntries(defaults) as Record<string, unknown>,
  };
}

/**
 * The stack of that name.
 *
 * @param configFile Takes the place of Pulumi.NAME.yaml; the stack may then have any name.
 * @throws UsageError that lists the stacks that there are.
 */
export function findStack(project: Project, name: string, configFile?: string): Stack {
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(name)) {
    throw new UsageError(
      `"${name}" can't be the name of a stack: letters, digits, hyphens, underscores and periods only.`,
    );
  }
  const file = configFile ? resolve(configFile) : join(project.root, `Pulumi.${name}.yaml`);
  if (existsSync(file)) return { name, file };
  if (configFile) throw new UsageError(`There is no file ${configFile} (--config-file).`);
  throw new UsageError(
    `There is no stack "${name}": no Pulumi.${name}.yaml. There are: ${stackNames(project.root).join(", ")}.`,
  );
}

export function stackNames(root: string): string[] {
  return readdirSync(root)
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort();
}

/** Value of a key as the program will see it: the stack's, else the default of Pulumi.yaml. */
export function configValue(project: Project, stackFileText: string, key: string): unknown {
  const yaml = parseYaml("the stack's configuration file", stackFileText);
  const values = isMapping(yaml["config"]) ? yaml["config"] : {};
  for (const [found, value] of Object.entries(values)) {
    if (withNamespace(project.name, found) === withNamespace(project.name, key)) return value;
  }
  return project.defaults[withNamespace(project.name, key)];
}

/** The same for a key whose value is text; an empty string if it is anything else, which the program will complain about. */
export function configText(project: Project, stack: Stack, key: string): string {
  const value = configValue(project, readFileSync(stack.file, "utf8"), key);
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** Address of the registry that the stack's configuration names, if it names one. */
export function registryAddress(project: Project, stack: Stack): string | undefined {
  const registry = configValue(project, readFileSync(stack.file, "utf8"), "registry");
  const address = isMapping(registry) ? registry["address"] : undefined;
  return typeof address === "string" ? address : undefined;
}

/** The images of others that the stack's configuration asks for. */
export function baseImageNames(
  project: Project,
  stack: Stack,
): { readonly node: string; readonly postgres: string; readonly haproxy: string } {
  return {
    node: configText(project, stack, "nodeImage"),
    postgres: configText(project, stack, "postgresImage"),
    haproxy: configText(project, stack, "haproxyImage"),
  };
}

/** The services that have a folder. */
export function serviceNames(root: string = ROOT): string[] {
  return readdirSync(join(root, "services"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .filter((name) => existsSync(join(root, "services", name, "service.ts")))
    .sort();
}

function withNamespace(project: string, key: string): string {
  return key.includes(":") ? key : `${project}:${key}`;
}

function parseYaml(name: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new CliError(
      `${name} is not valid YAML: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (value === null || value === undefined) return {};
  if (!isMapping(value)) throw new CliError(`${name} should be a mapping of keys to values.`);
  return value;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
