import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parse } from "yaml";
import { CliError, UsageError } from "@store/docker/cliError";
import { messageOf } from "@store/docker/messageOf";
import { storeNames } from "../../../config/https/domainNames";
import { pemValue } from "../../../config/https/pemValue";
import { DEFAULT_STACK, storeCommand } from "./storeCommand";

/** The Pulumi project: the fields of Pulumi.yaml that the CLI needs before the engine runs. */
export interface Project {
  readonly root: string;
  readonly name: string;
  /** `backend.url`. @default none */
  readonly backendUrl?: string;
  /** Default values of the configuration, by full key (`store:httpPort`). */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** All keys of the configuration, in full (`store:httpPort`). */
  readonly keys: readonly string[];
  /** Keys whose value is a list or a mapping, in full. `pulumi config set KEY VALUE` can't set them. */
  readonly structuredKeys: readonly string[];
}

/** A stack and its configuration file. */
export interface Stack {
  readonly name: string;
  /** Name for the engine, with the organisation if the user has named one on a backend of the user's. Defaults to the name. */
  readonly reference?: string;
  /** Absolute path of Pulumi.NAME.yaml, or of the file given by --config-file. */
  readonly file: string;
}

export const ROOT = resolve(__dirname, "../../..");

export function readProject(root: string = ROOT): Project {
  return parseProject(root, readFileSync(join(root, "Pulumi.yaml"), "utf8"));
}

export function parseProject(root: string, text: string): Project {
  const yaml = parseYaml("Pulumi.yaml", text);
  const name = yaml["name"];
  if (typeof name !== "string") {
    throw new CliError(`Pulumi.yaml has no "name".`, {
      hint: "Restore it: git checkout Pulumi.yaml",
    });
  }
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
    keys: Object.keys(schema).map((key) => withNamespace(name, key)),
    structuredKeys: Object.entries(schema).flatMap(([key, declared]) =>
      isMapping(declared) && /^(array|object)$/.test(String(declared["type"]))
        ? [withNamespace(name, key)]
        : [],
    ),
  };
}

/**
 * Parses a stack's name in each form that Pulumi accepts: STACK, ORGANISATION/STACK or ORGANISATION/PROJECT/STACK.
 *
 * @throws UsageError if the project is another one.
 */
export function parseStackReference(
  project: string,
  reference: string,
): { readonly name: string; readonly organisation?: string } {
  const [name = "", second, ...others] = reference.split("/").reverse();
  if (second === undefined || others.length > 1)
    return { name: others.length > 1 ? reference : name };
  const [organisation = second] = others;
  if (others.length === 1 && second !== project) {
    throw new UsageError(
      `"${reference}" is a stack of the project ${second}; this is the project ${project}.`,
      `Name a stack of this project, for example ${DEFAULT_STACK}.`,
    );
  }
  return { name, organisation };
}

/**
 * Returns the engine's name of a stack. Undefined if it is the short name.
 *
 * @param isWorkspace The state is in files of this workspace.
 * @throws UsageError if files can't contain the organisation's stacks.
 */
export function engineReference(
  project: string,
  reference: string,
  isWorkspace: boolean,
): string | undefined {
  const { name, organisation } = parseStackReference(project, reference);
  if (organisation === undefined) return undefined;
  if (!isWorkspace) return reference;
  if (organisation === FILE_ORGANISATION) return undefined;
  throw new UsageError(
    `"${reference}" is a stack of the organisation ${organisation}, but this checkout keeps its state in files, without organisations.`,
    `Name the stack: ${name}. Or log in to the backend that has the organisation: ${storeCommand("doctor", name)} shows the backend in use.`,
  );
}

/** Organisation of all stacks on Pulumi's file backends. */
const FILE_ORGANISATION = "organization";

/**
 * Finds a stack by its name.
 *
 * @param configFile Replaces Pulumi.NAME.yaml. @default Pulumi.NAME.yaml
 * @throws UsageError if there is no such file; it lists the existing stacks
 */
export function findStack(project: Project, reference: string, configFile?: string): Stack {
  const { name } = parseStackReference(project.name, reference);
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(name)) {
    throw new UsageError(
      `"${name}" is not a valid stack name: only letters, digits, hyphens, underscores and periods are allowed.`,
    );
  }
  const file = configFile ? resolve(configFile) : join(project.root, `Pulumi.${name}.yaml`);
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === false) return { name, file };
  if (configFile) throw new UsageError(`File ${configFile} (--config-file) not found.`);
  throw new UsageError(
    `Unknown stack "${name}": Pulumi.${name}.yaml not found. Stacks: ${stackNames(project.root).join(", ")}.`,
  );
}

export function stackNames(root: string): string[] {
  return readdirSync(root)
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort();
}

/** Returns the value of a configuration key as the program reads it: the stack's value, or the default in Pulumi.yaml. */
export function configValue(project: Project, stack: Pick<Stack, "file">, key: string): unknown {
  const full = withNamespace(project.name, key);
  const values = configValues(project, stack);
  return Object.hasOwn(values, full) ? values[full] : project.defaults[full];
}

/** Returns a string or numeric value as a string; empty if it has another type, which the program reports. */
export function configText(project: Project, stack: Stack, key: string): string {
  const value = configValue(project, stack, key);
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** Returns a list of names, or a single value, as texts; empty if it has another type, which the program reports. */
export function configList(project: Project, stack: Stack, key: string): string[] {
  const value = configValue(project, stack, key);
  const values = (Array.isArray(value) ? value : [value]) as readonly unknown[];
  return values.filter((one) => typeof one === "string" || typeof one === "boolean").map(String);
}

/** Fields of store:registry with the login by which the host pulls. The first one that is set counts. */
const PULL_LOGINS = [
  ["pullUsername", "pullPassword"],
  ["username", "password"],
] as const;

/**
 * The stack's registry (store:registry): its address, and the fields with the login by which the host pulls if there is one; undefined
 * without a registry.
 */
export function stackRegistry(
  project: Project,
  stack: Stack,
): { readonly address: string; readonly pullLogin?: (typeof PULL_LOGINS)[number] } | undefined {
  const registry = configValue(project, stack, "registry");
  if (!isMapping(registry)) return undefined;
  const { address } = registry;
  if (typeof address !== "string" || address === "") return undefined;
  const pullLogin = PULL_LOGINS.find(([username]) => (registry[username] ?? "") !== "");
  return pullLogin === undefined ? { address } : { address, pullLogin };
}

/** Names by which the stack serves HTTPS; empty without HTTPS. */
export function namesOfStore(project: Project, stack: Stack): string[] {
  const text = (key: string): string => configText(project, stack, key);
  const [host, domain] = [text("host"), text("domain")];
  return storeNames({ host, domain, dnsLabel: text("dnsLabel"), location: text("location") });
}

/** Returns true if the stack orders its certificate: store:domain without store:certificate. */
export function ordersCertificate(project: Project, stack: Stack): boolean {
  // An encrypted certificate is no text.
  return (
    namesOfStore(project, stack).length > 0 &&
    (configValue(project, stack, "certificate") ?? "") === ""
  );
}

/** Root certificates of the authority that issues the stack's certificate (store:acmeRoot); undefined if there are none to read. */
export function trustedRoot(project: Project, stack: Stack): string | undefined {
  const value = configText(project, stack, "acmeRoot");
  const read = value === "" ? undefined : pemValue(value);
  return read && "pem" in read ? read.pem : undefined;
}

/** Names of the base images in the stack's configuration. */
export function baseImageNames(
  project: Project,
  stack: Stack,
): {
  readonly node: string;
  readonly postgres: string;
  readonly haproxy: string;
  readonly lego?: string;
} {
  return {
    node: configText(project, stack, "nodeImage"),
    postgres: configText(project, stack, "postgresImage"),
    haproxy: configText(project, stack, "haproxyImage"),
    ...(ordersCertificate(project, stack) && { lego: configText(project, stack, "legoImage") }),
  };
}

/** Names of the services: the folders, or symbolic links to folders, with a service.ts. */
export function serviceNames(root: string = ROOT): string[] {
  return readdirSync(join(root, "services"))
    .filter((name) => existsSync(join(root, "services", name, "service.ts")))
    .sort();
}

/** All values of a stack's configuration file by full key (`store:httpPort`), without defaults. */
export function configValues(
  project: Project,
  { file }: Pick<Stack, "file">,
): Record<string, unknown> {
  const yaml = parseYaml(relative(project.root, file), readFileSync(file, "utf8"));
  const values = isMapping(yaml["config"]) ? yaml["config"] : {};
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [withNamespace(project.name, key), value]),
  );
}

function withNamespace(project: string, key: string): string {
  return key.includes(":") ? key : `${project}:${key}`;
}

function parseYaml(name: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new CliError(`${name} is not valid YAML: ${messageOf(error).trim()}`, {
      hint: `Correct ${name}, then run the command again.`,
    });
  }
  if (value === null || value === undefined) return {};
  if (!isMapping(value)) {
    throw new CliError(`${name} must be a mapping of keys to values.`, {
      hint: `Correct ${name}, then run the command again.`,
    });
  }
  return value;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
