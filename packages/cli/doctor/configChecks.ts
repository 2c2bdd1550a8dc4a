import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { CliError } from "@store/docker/cliError";
import { messageOf } from "@store/docker/messageOf";
import { az, hasAz } from "../host/azureCli";
import { configText, configValues } from "../project/project";
import { storeCommand } from "../project/storeCommand";
import type { Session } from "../project/session";
import { stackFileMistakes } from "../project/stackFileCheck";
import type { CheckContext, CheckResult } from "./check";

/** Validates the stack's configuration as the program does. */
export function checkConfig({ session }: CheckContext): CheckResult[] {
  const title = "Configuration";
  const { project, stack } = session;
  const file = relative(project.root, stack.file);
  const inFile = stackFileMistakes(readFileSync(stack.file), project);
  if (inFile.length > 0) {
    const hint = `Correct ${file}.`;
    return inFile.map((found) => ({ title, status: "failed", found: `${file}, ${found}`, hint }));
  }
  const mistakes = configMistakes(session);
  if (mistakes.length === 0) return [{ title, status: "ok", found: `${file} is valid` }];
  return mistakes.map((found) => ({
    title,
    status: "failed",
    found,
    hint: `Change the value in ${file}; a text, a number or a flag also by: ${storeCommand("pulumi config set KEY VALUE", stack.name)}`,
  }));
}

/**
 * Returns the program's own messages about the configuration. Encrypted values can't be checked without the passphrase; they count as
 * present.
 */
export function configMistakes({ project, stack }: Session): string[] {
  const { values, secretKeys, encrypted } = engineConfig(configValues(project, stack));
  const previous = process.env;
  process.env = {
    ...previous,
    PULUMI_NODEJS_PROJECT: project.name,
    PULUMI_NODEJS_STACK: stack.name,
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secretKeys),
    PULUMI_OPTION_CONFIG_FILE: stack.file,
  };
  try {
    // Loaded only here, because Pulumi's SDK takes 300 ms.
    /* eslint-disable @typescript-eslint/no-require-imports */
    const pulumi = require("@pulumi/pulumi") as typeof import("@pulumi/pulumi");
    const { readConfig } =
      require("../../../config/config") as typeof import("../../../config/config");
    const { loadSpecs } = require("../../../services") as typeof import("../../../services");
    /* eslint-enable @typescript-eslint/no-require-imports */
    pulumi.runtime.setAllConfig(values, [...secretKeys]);
    readConfig(loadSpecs());
    return [];
  } catch (error) {
    return messageOf(error)
      .split("\n")
      .filter((line) => !encrypted.some((key) => line.startsWith(`${key}:`)));
  } finally {
    process.env = previous;
  }
}

interface EngineConfig {
  /** Values by full key, in the form in which the engine passes them: text, or JSON. */
  readonly values: Readonly<Record<string, string>>;
  /** Keys whose value is encrypted or contains an encrypted value. */
  readonly secretKeys: readonly string[];
  /** Paths of the encrypted values, such as store:databaseUrl.orders. */
  readonly encrypted: readonly string[];
}

function engineConfig(config: Readonly<Record<string, unknown>>): EngineConfig {
  const entries = Object.entries(config).map(([key, value]) => {
    const plain = withoutCiphertext(value);
    const text = typeof plain === "string" ? plain : JSON.stringify(plain);
    return {
      key,
      text,
      isSecret: JSON.stringify(value).includes('"secure":'),
      encrypted: encryptedPaths(key, value),
    };
  });
  return {
    values: Object.fromEntries(entries.map(({ key, text }) => [key, text])),
    secretKeys: entries.filter(({ isSecret }) => isSecret).map(({ key }) => key),
    encrypted: entries.flatMap(({ encrypted }) => encrypted),
  };
}

/** Replaces each encrypted value by a text that isn't empty. */
function withoutCiphertext(value: unknown): unknown {
  if (isSecure(value)) return "[encrypted]";
  if (Array.isArray(value)) return value.map(withoutCiphertext);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withoutCiphertext(inner)]),
  );
}

function encryptedPaths(path: string, value: unknown): string[] {
  if (isSecure(value)) return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => encryptedPaths(`${path}.${key}`, inner));
}

function isSecure(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).join() === "secure";
}

/** Checks the login at Azure that the engine's provider uses: a service principal of the environment, or the command az. */
export async function checkAzureLogin({
  session: { project, stack },
}: Pick<CheckContext, "session">): Promise<CheckResult[]> {
  if (configText(project, stack, "host") !== "azure") return [];
  const title = "Azure login";
  const { ARM_CLIENT_ID: client } = process.env;
  if (client) return [{ title, status: "ok", found: `service principal ${client}, not tried` }];
  try {
    const shown = await az({
      args: ["account", "show", "--output", "json"],
      stack: stack.name,
      failure: "az account show failed",
      timeoutMs: AZ_TIMEOUT_MS,
    });
    const { name, id } = JSON.parse(shown) as { name?: string; id?: string };
    return [{ title, status: "ok", found: `subscription ${name ?? id ?? "unknown"}, from az` }];
  } catch (error) {
    const details = error instanceof CliError ? error.details.slice(-1) : [];
    const found = [messageOf(error), ...details].join(" ");
    const hint = `${hasAz() ? "" : "Install it, then: "}az login. Or set ARM_CLIENT_ID, ARM_TENANT_ID, ARM_SUBSCRIPTION_ID and ARM_CLIENT_SECRET or ARM_USE_OIDC.`;
    return [{ title, status: "failed", found, hint }];
  }
}

/** It reads a file, but starting Python takes seconds on a busy machine. */
const AZ_TIMEOUT_MS = 60_000;
