/** Runs the action with these environment variables, unset if undefined, and restores the previous values. */
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

// Not by assigning another object to process.env: Node itself would still read the original one.
function set(variables: readonly (readonly [string, string | undefined])[]): void {
  for (const [name, value] of variables) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
}
