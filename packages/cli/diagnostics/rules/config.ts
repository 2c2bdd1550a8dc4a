import { existsSync, readFileSync } from "node:fs";
import { writtenValues } from "../../../../config/writtenText";
import { wrongPassphrase as passphraseProblem } from "../../state/passphrase";
import {
  Context,
  keepsRunning,
  retryCommand,
  Rule,
  sameMessage,
  stackFileName,
  commandFor,
  whatChanged,
} from "../rule";
import { storeCommand } from "../../project/storeCommand";

/** A configuration value that a script of the program rejected while the engine was changing resources. */
export const configRejectedByResource: Rule = {
  name: "config-rejected-by-resource",
  match: [/^(store:\w+(?:\.[\w-]+)?): .*$/m],
  cause: ({ match }) => match[1],
  toDiagnostic: ({ match }, context) => ({
    summary: match[0],
    hint: `${keepsRunning(context)}${howToChange(match[1], context, { isValue: true })}`,
  }),
};

/** Configuration values that the program rejected, a line each. */
export const configRejected: Rule = {
  name: "config-rejected",
  sources: ["program"],
  // Not pulumi:providers:NAME, which names a provider.
  match: [/^((?!pulumi:)[a-z][\w-]*:[\w.[\]-]+):/],
  cause: ({ match }) => match[1],
  toDiagnostic: ({ error, match }, context) => ({
    summary: error.message,
    hint: `${whatChanged(context)}${
      error.message.trim().includes("\n")
        ? `Change these values in ${stackFileName(context)}, then: ${retryCommand(context)}`
        : howToChange(match[1], context, { isValue: / should (be|have) /.test(error.message) })
    }`,
  }),
};

/** A configuration value that the engine rejected. */
export const configRejectedByEngine: Rule = {
  name: "config-rejected-by-engine",
  sources: ["engine"],
  match: [
    /configuration key '([^']+)'/,
    /missing required configuration variable '([^']+)'/i,
    /stack config|stack configuration|invalid YAML/,
  ],
  toDiagnostic: ({ error, match }, context) => ({
    summary: error.message.replace(/^validating stack config: /, ""),
    hint: `Nothing was changed. ${howToChange(match[1], context)}`,
  }),
};

export const wrongPassphrase: Rule = {
  name: "wrong-passphrase",
  sources: ["engine"],
  match: [/incorrect passphrase|passphrase must be set/i],
  toDiagnostic: (_found, { session }) => passphraseProblem(session),
};

/** The key of the stack's secrets can't be used, for example an Azure Key Vault. */
export const keyRefused: Rule = {
  name: "key-refused",
  sources: ["engine"],
  match: [/(?:azurekeyvault|awskms|gcpkms|hashivault)\b|secrets \(code=/],
  toDiagnostic: ({ error }, context) => ({
    summary: `Can't use the key that encrypts the secrets of the stack ${context.session.stack.name} (secretsprovider in ${stackFileName(context)}).`,
    details: [error.message],
    hint: "Log in (az login) with an account that may encrypt and decrypt with the key: role Key Vault Crypto User.",
  }),
};

/** A `secure` value of the stack's file that isn't an encrypted text. */
export const malformedSecret: Rule = {
  name: "malformed-secret",
  sources: ["engine"],
  match: [/(?:^|: )bad value\s*$/],
  toDiagnostic: (_found, context) => {
    const { file } = context.session.stack;
    const values = existsSync(file)
      ? writtenValues(readFileSync(file, "utf8"), context.session.project.name)
      : {};
    const [key, ...others] = malformedSecrets(values);
    const named = key === undefined ? "a value" : [key, ...others].join(", ");
    return {
      summary: `${stackFileName(context)} marks ${named} as encrypted ("secure"), but the text there isn't an encrypted one ("v1:...:...").`,
      hint:
        `Nothing was changed. Remove the entry from the file, and set it again:\n` +
        commandFor(`pulumi config set --secret --path '${key ?? "KEY"}' VALUE`, context),
    };
  },
};

/** Returns the paths of values `{secure: TEXT}` whose text isn't of the engine's format. */
export function malformedSecrets(value: unknown, path: readonly string[] = []): string[] {
  if (typeof value !== "object" || value === null) return [];
  const fields = Object.entries(value);
  const [first] = fields;
  if (fields.length === 1 && first?.[0] === "secure") {
    return /^v1:[^:]+:[^:]+$/.test(String(first[1])) ? [] : [path.join(".")];
  }
  return fields.flatMap(([name, field]) => malformedSecrets(field, [...path, name]));
}

export const undecryptableSecret: Rule = {
  name: "undecryptable-secret",
  sources: ["engine"],
  match: [/decrypt|message authentication failed/i],
  toDiagnostic: ({ error }, context) => ({
    summary: `Can't decrypt a secret in ${stackFileName(context)} with this workspace's passphrase.`,
    details: [error.message],
    hint:
      `The secret was set in another workspace or with another backend. Set it again:\n` +
      commandFor("pulumi config set --secret KEY VALUE", context),
  }),
};

/** An unexpected exception in the program. */
export const programFailed: Rule = {
  name: "program-failed",
  sources: ["program"],
  match: [/^Running program '.*?' failed with an unhandled exception:\s*(.*)$/s],
  toDiagnostic: ({ match }, context) => {
    const [message = "", ...trace] = (match[1] ?? "").split("\n");
    const ownFrames = trace.filter((line) => !/node_modules|\(node:|at node:/.test(line));
    return {
      summary: `The program failed: ${message}`,
      details: ownFrames.map((line) => line.trim()).slice(0, 5),
      hint: `Fix the error in index.ts or in a file that it imports, then: ${retryCommand(context)}`,
    };
  },
};

/** Any other error that the program reports. */
export const programError: Rule = {
  name: "program-error",
  sources: ["program"],
  match: [/^/],
  // In a preview, the errors of resources have the same source.
  cause: sameMessage,
  toDiagnostic: ({ error }, context) => ({
    summary: error.message,
    hint: `${whatChanged(context)}${howToChange(undefined, context)}`,
  }),
};

const SECRET_KEYS = /^(certificate|sshPrivateKey|(secrets|databaseUrl)\b.*)$/;
/** Their values have several lines, so they are set from a file. */
const FILE_KEYS: readonly string[] = ["certificate", "sshPrivateKey"];

/** @param isValue The value is wrong, not a name in its path. Defaults to false. */
function howToChange(
  key: string | undefined,
  context: Context,
  { isValue = false }: { readonly isValue?: boolean } = {},
): string {
  const { command, session } = context;
  const shortKey = key?.replace(`${session.project.name}:`, "");
  if (shortKey === undefined) {
    return `Fix the cause, then: ${storeCommand(command, session.stack.name)}`;
  }
  if (session.project.structuredKeys.includes(`${session.project.name}:${shortKey}`)) {
    return `Change the value in ${stackFileName(context)}, then: ${storeCommand(command, session.stack.name)}`;
  }
  const [top = ""] = shortKey.split(/[.[]/);
  // A wrong name within a mapping: setting its value doesn't correct it.
  if (top !== shortKey && !isValue) {
    return `Correct it in ${stackFileName(context)}, then: ${storeCommand(command, session.stack.name)}`;
  }
  const secret = SECRET_KEYS.test(shortKey) ? "--secret " : "";
  const path = /[.[]/.test(shortKey) ? `--path '${shortKey}'` : shortKey;
  const isFile = FILE_KEYS.includes(shortKey);
  const set = commandFor(`pulumi config set ${secret}${path}${isFile ? "" : " VALUE"}`, context);
  return `Change the value in ${stackFileName(context)}, or run: ${set}${isFile ? " < FILE" : ""}`;
}
