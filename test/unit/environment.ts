/** Calls something with some variables of the environment set, or not set where they are undefined, and puts them back. */
export async function withEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
  action: () => void | Promise<void>,
): Promise<void> {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  set(Object.entries(variables));
  try {
    await action();
  } finally {
    set(before);
  }
}

// Not by another object in its place: what Node itself reads would stay as it was.
function set(variables: readonly (readonly [string, string | undefined])[]): void {
  for (const [name, value] of variables) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
}
