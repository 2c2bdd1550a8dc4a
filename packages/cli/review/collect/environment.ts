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
  if (type !== "docker:index/container:Container") return [];
  const [old, current] = [variables(before), variables(after)];
  const names = [...new Set([...old.keys(), ...current.keys()])].filter(
    (name) => old.get(name) !== current.get(name),
  );
  return [...new Set(names.map((name) => (PUBLIC_NAME.test(name) ? name : "?")))].sort();
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
