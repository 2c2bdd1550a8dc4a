import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { problem, type Problem } from "./problems.ts";

/** Names of tokens by the SHA-256 of each token. */
export type HashedTokens = ReadonlyMap<string, string>;

/** Parses the content of a file with a line "NAME HASH" for each token: its name and its SHA-256 in hexadecimal. Ignores other lines. */
export function readHashedTokens(text: string): HashedTokens {
  const lines = [...text.matchAll(/^(\S+) ([0-9a-f]{64})$/gm)];
  return new Map(lines.map(([, name = "", hash = ""]) => [hash, name]));
}

/** Returns the name of a token. The time of the look-up tells nothing about the token: similar tokens have different hashes. */
export function nameOfToken(tokens: HashedTokens, token: string): string | undefined {
  return tokens.get(hashOf(token));
}

export function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Returns the token that a request has sent as `Authorization: Bearer TOKEN`. */
export function bearerToken({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
}

/** Returns the response to a request without a token or with an unknown one. */
export function unauthorized(detail: string): Problem {
  return problem(401, detail, { headers: { "www-authenticate": "Bearer" } });
}
