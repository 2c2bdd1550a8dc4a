import { configSet } from "../rule";
import type { ConfigValues } from "../schema";
import { isEncrypted } from "../values";

/** Warns of a registry's password that everybody who reads the stack's file knows. */
export function plainPasswords({ registry }: ConfigValues): string[] {
  if (isEncrypted("registry")) return [];
  return (["password", "pullPassword"] as const)
    .filter((field) => registry[field] !== "")
    .map(
      (field) =>
        `store:registry.${field}: isn't encrypted. Replace the password at the registry if others have seen it, then: ${configSet(`--secret --path registry.${field} PASSWORD`)}`,
    );
}
