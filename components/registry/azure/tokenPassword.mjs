/**
 * Generates a password for a token of an Azure Container Registry and prints it. The token's previous password becomes invalid. Run by
 * `AzureRegistry`.
 * Environment: REGISTRY (resource ID of the registry), TOKEN (name of the token).
 *
 * @see https://github.com/pulumi/pulumi-azure-native/issues/3099: the provider can't generate the password.
 */
import { az, registryOf } from "./az.mjs";

try {
  const { name, subscription } = registryOf(process.env.REGISTRY ?? "");
  const password = await az([
    ...["acr", "token", "credential", "generate", "--subscription", subscription],
    ...["--registry", name, "--name", process.env.TOKEN ?? "", "--password1"],
    ...["--query", "passwords[0].value", "--output", "tsv"],
  ]);
  if (password === "")
    throw new Error(`Azure returned no password for the token of the registry ${name}.`);
  process.stdout.write(password);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
