import { CONTAINER_TYPE, SERVICE_TYPE } from "../../state/resourceTypes";

/** Names of variables that can be printed: words in capital letters. A name with digits may be a value in the wrong place. */
const PUBLIC_NAME = /^[A-Z]{1,20}(_[A-Z]{1,20}){0,5}$/;

/**
 * Returns the names of a container's environment variables that differ, without their values.
 *
 * @returns an empty list for other types; "?" in place of names that can't be printed.
 */
export function variableNames(
  type: string,
  before: Readonly<Record<string, unknown>> | undefined,
  after: Readonly<Record<string, unknown>> | undefined,
): string[] {
  const read = READERS[type];
  if (read === undefined) return [];
  const [old, current] = [read(before), read(after)];
  const names = [...new Set([...old.keys(), ...current.keys()])].filter(
    (name) => old.get(name) !== current.get(name),
  );
  return [...new Set(names.map((name) => (PUBLIC_NAME.test(name) ? name : "?")))].sort();
}

type Reader = (inputs?: Readonly<Record<string, unknown>>) => Map<string, string>;

const READERS: Readonly<Record<string, Reader>> = {
  [CONTAINER_TYPE]: variables,
  [SERVICE_TYPE]: swarmVariables,
};

function swarmVariables(inputs: Readonly<Record<string, unknown>> = {}): Map<string, string> {
  const { taskSpec } = inputs as { taskSpec?: { containerSpec?: { env?: unknown } } };
  const env = taskSpec?.containerSpec?.env;
  return new Map(
    Object.entries(typeof env === "object" && env !== null ? env : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}

function variables(inputs: Readonly<Record<string, unknown>> = {}): Map<string, string> {
  const { envs } = inputs;
  if (!Array.isArray(envs)) return new Map();
  const texts = envs.filter((one): one is string => typeof one === "string");
  return new Map(
    texts.map((text) => {
      const [name = ""] = text.split("=", 1);
      return [name, text.slice(name.length + 1)];
    }),
  );
}
