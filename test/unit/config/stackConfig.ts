import * as pulumi from "@pulumi/pulumi";

/** Sets the stack's configuration. Keys are given without `store:`; the others have their defaults. */
export function setConfig(
  keys: Readonly<Record<string, unknown>>,
  encrypted: readonly string[] = [],
): void {
  process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify(encrypted);
  const text = (value: unknown): string =>
    typeof value === "string" ? value : JSON.stringify(value);
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(keys).map(([key, value]) => [`store:${key}`, text(value)])),
  );
}

export function resetConfig(): void {
  pulumi.runtime.setAllConfig({});
  delete process.env["PULUMI_CONFIG_SECRET_KEYS"];
}
