import { createHash } from "node:crypto";
import type * as pulumi from "@pulumi/pulumi";
import type { StackSecret } from "../services/spec";

/** Name of the token that each stack creates, as in packages/kit/src/http/staff.ts. */
export const FIRST_TOKEN = "staff";

/** Entry of {@link FIRST_TOKEN} in `store:staffTokens` after its removal. */
export const REMOVED = "removed";

/** Names of tokens. They are keys in YAML, words on command lines and fields of log lines. */
export const TOKEN_NAME = /^[a-z][a-z0-9-]{0,31}$/;

export const TOKEN_NAME_RULE =
  "1 to 32 lower-case letters, digits and hyphens, starting with a letter";

/**
 * Returns a token's hash as in `store:staffTokens`. Without a salt and in one round: nobody can guess a random token of 40 characters.
 * With the prefix, YAML can't take a hash of digits for a number.
 */
export function hashOfToken(token: string): string {
  return `${PREFIX}${createHash("sha256").update(token).digest("hex")}`;
}

const PREFIX = "sha256:";

export interface StaffTokensArgs {
  /** The token that the stack has created. */
  readonly created: pulumi.Output<string>;
  /** Hash of each further token, by name. An entry for {@link FIRST_TOKEN} replaces or removes the created token. */
  readonly named: Readonly<Record<string, string>>;
}

/** The staff tokens of a stack. */
export interface StaffTokens {
  /** The created token; undefined if the configuration replaces or removes it. */
  readonly first: pulumi.Output<string> | undefined;
  readonly secrets: Readonly<Record<StackSecret, pulumi.Input<string>>>;
}

/** Returns the secrets by which services know staff. Services get hashes only, so that none of them can pose as staff. */
export function staffTokens({ created, named }: StaffTokensArgs): StaffTokens {
  const first = named[FIRST_TOKEN] === undefined ? created : undefined;
  return {
    first,
    secrets: {
      STAFF_TOKENS: created.apply((token) =>
        staffTokensFile({ [FIRST_TOKEN]: hashOfToken(token), ...named }),
      ),
      // A configuration without it is refused if an enabled service needs it (config/config.ts).
      STAFF_TOKEN: first ?? "",
    },
  };
}

/** Returns the content of STAFF_TOKENS. */
export function staffTokensFile(tokens: Readonly<Record<string, string>>): string {
  return Object.entries(tokens)
    .filter(([, hash]) => hash !== REMOVED)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hash]) => `${name} ${hash.slice(PREFIX.length)}\n`)
    .join("");
}
