import { randomInt } from "node:crypto";
import { basename } from "node:path";
import { CliError, UsageError } from "@store/docker/cliError";
import { FIRST_TOKEN, REMOVED, TOKEN_NAME, TOKEN_NAME_RULE } from "../../../components/staffTokens";
import { configValue } from "../project/project";
import type { Session } from "../project/session";
import { storeCommand } from "../project/storeCommand";

/** Names of the stack's staff tokens, as its file says; sorted. */
export function tokenNames({ project, stack }: Session): string[] {
  const value = configValue(project, stack, "staffTokens");
  const configured = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const names = new Map<string, unknown>([[FIRST_TOKEN, undefined], ...configured]);
  return [...names].flatMap(([name, hash]) => (hash === REMOVED ? [] : [name])).sort();
}

/** Returns a new token: letters and digits only, because people put it into headers and command lines. */
export function newToken(): string {
  const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from({ length: 40 }, () => characters.charAt(randomInt(characters.length))).join("");
}

/** @throws UsageError if the text can't be a token's name. */
export function parseTokenName(text: string | undefined, command: "add" | "remove"): string {
  if (text === undefined)
    throw new UsageError("No name given.", `Name the token: ./store token ${command} NAME`);
  if (TOKEN_NAME.test(text)) return text;
  throw new UsageError(
    `"${text}" can't be a token's name.`,
    `Use ${TOKEN_NAME_RULE}, for example ana.`,
  );
}

/** @throws CliError if the stack has a token of this name. */
export function refuseExisting(session: Session, name: string): void {
  if (!tokenNames(session).includes(name)) return;
  const { stack } = session;
  throw new CliError(`Stack ${stack.name} already has a token named ${name}.`, {
    hint:
      `To replace it without an interruption, add another one and remove this one when nobody uses it any more:\n` +
      `  ${storeCommand(`token add ${name}-2`, stack.name)}\n  ${storeCommand(`token remove ${name}`, stack.name)}`,
  });
}

/** @throws CliError if there is no token of this name, or no other one. */
export function refuseRemoval(session: Session, name: string): void {
  const { stack } = session;
  const names = tokenNames(session);
  if (!names.includes(name)) {
    throw new CliError(`Stack ${stack.name} has no token named ${name}.`, {
      hint:
        `Its tokens, in ${basename(stack.file)}: ${names.join(", ")}.\n` +
        `If it still works, ${storeCommand("up", stack.name)} applies the file.`,
    });
  }
  if (names.length > 1) return;
  throw new CliError(`Refusing to remove ${name}, the last token: nobody could log in.`, {
    hint: `Add another one first: ${storeCommand("token add NAME", stack.name)}`,
  });
}

/** Value of a removed token in the stack's file. Undefined: the entry is deleted. */
export function removedValue(name: string): string | undefined {
  return name === FIRST_TOKEN ? REMOVED : undefined;
}
