import * as pulumi from "@pulumi/pulumi";

const original = {
  DOCKER_HOST: process.env["DOCKER_HOST"],
  DOCKER_CONFIG: process.env["DOCKER_CONFIG"],
};

/** Sets the stack's configuration. Keys are given without `store:`; the others have their defaults. */
export function setConfig(
  keys: Readonly<Record<string, unknown>>,
  encrypted: readonly string[] = [],
): void {
  process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify(encrypted);
  // Same value as ./store sets, so that the images are built by the stack's daemon.
  if (typeof keys["dockerHost"] === "string" && keys["dockerHost"] !== "") {
    process.env["DOCKER_HOST"] ??= keys["dockerHost"];
  }
  // Not the configuration of the user who runs the tests.
  process.env["DOCKER_CONFIG"] ??= "/nowhere";
  const text = (value: unknown): string =>
    typeof value === "string" ? value : JSON.stringify(value);
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(keys).map(([key, value]) => [`store:${key}`, text(value)])),
  );
}

export function resetConfig(): void {
  pulumi.runtime.setAllConfig({});
  delete process.env["PULUMI_CONFIG_SECRET_KEYS"];
  for (const [name, value] of Object.entries(original)) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
}
