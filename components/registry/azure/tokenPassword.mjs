/**
 * Gives a token of an Azure Container Registry a password, and prints it; the one before it ends with that. Run by `AzureRegistry`.
 * Environment: REGISTRY (its id in Azure), TOKEN (its name).
 *
 * @see https://github.com/pulumi/pulumi-azure-native/issues/3099 which is why it is a command
 */
import { az, registryOf } from "./az.mjs";

try {
  const { name, subscription } = registryOf(process.env.REGISTRY ?? "");
  const password = await az([
    ...["acr", "token", "credential", "generate", "--subscription", subscription],
    ...["--registry", name, "--name", process.env.TOKEN ?? "", "--password1"],
    ...["--query", "passwords[0].value", "--output", "tsv"],
  ]);
  if (password === "") throw new Error(`Azure gave the token of the registry ${name} no password.`);
  process.stdout.write(password);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
