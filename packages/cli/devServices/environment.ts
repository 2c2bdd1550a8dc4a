import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { callersFile } from "../../../components/callersFile";
import { replaceFile } from "@store/docker/replaceFile";
import { FIRST_TOKEN, hashOfToken, staffTokensFile } from "../../../components/staffTokens";
import {
  CALLERS_SECRET,
  dependenciesOf,
  type StackSecret,
  tokenSecret,
  urlVariable,
} from "../../../services/spec";
import type { ServiceDatabase } from "./database";
import type { DevService } from "./devService";

/** Context of one run of `./store services`. */
export interface DevRun {
  /** All selected services, including those that can't run from source: a call to one of these fails as if it were down. */
  readonly services: readonly DevService[];
  /** Folder for secrets and databases. */
  readonly folder: string;
  /** Address of the reverse proxy. */
  readonly url: string;
}

/**
 * Returns a service's environment variables, as documented in services/spec.ts. Variables of this process, such as LOG_LEVEL and
 * PAYMENT_PROVIDER, are passed to every service.
 */
export function environmentOf(
  { name, spec, port }: DevService,
  database: ServiceDatabase | undefined,
  { services, folder, url }: DevRun,
): NodeJS.ProcessEnv {
  const dependencies = services.filter(({ name }) => dependenciesOf(spec).includes(name));
  return {
    ...process.env,
    PORT: String(port),
    HOST: "127.0.0.1",
    DRAIN_SECONDS: "0",
    GATEWAY_URL: url,
    ...Object.fromEntries(
      dependencies.map((dependency) => [
        urlVariable(dependency.name),
        `http://127.0.0.1:${dependency.port}`,
      ]),
    ),
    ...Object.fromEntries(
      dependencies.map((dependency) => [
        `${tokenSecret(dependency.name)}_FILE`,
        tokenFile(folder, name, dependency.name),
      ]),
    ),
    [`${CALLERS_SECRET}_FILE`]: writeCallersFile(folder, name, services),
    ...Object.fromEntries(
      (spec.secrets ?? []).map((secret) => [`${secret}_FILE`, stackSecretFile(folder, secret)]),
    ),
    ...(database && databaseEnvironment(database, folder)),
  };
}

function databaseEnvironment(database: ServiceDatabase, folder: string): NodeJS.ProcessEnv {
  return {
    DEMO_DATA: "true",
    DATABASE_HOST: database.host,
    DATABASE_PORT: String(database.port),
    DATABASE_NAME: database.name,
    DATABASE_USER: database.user,
    DATABASE_PASSWORD_FILE: passwordFile(folder, database.password),
    DATABASE_PREPARE: String(database.sharedSession !== true),
  };
}

/** Returns the file of a secret that a stack creates. The only staff token is in STAFF_TOKEN, for the developer to log in with. */
function stackSecretFile(folder: string, secret: StackSecret): string {
  const token = secretFile(folder, "STAFF_TOKEN");
  if (secret === "STAFF_TOKEN") return token;
  const file = join(folder, secret);
  writeFileSync(
    file,
    staffTokensFile({ [FIRST_TOKEN]: hashOfToken(readFileSync(token, "utf8")) }),
    {
      mode: 0o600,
    },
  );
  return file;
}

/** Returns the file with the token that a service sends to another one. */
function tokenFile(folder: string, caller: string, callee: string): string {
  return secretFile(folder, `${caller}-${tokenSecret(callee)}`);
}

/** Writes and returns the file with the hashes of the tokens that a service accepts. */
function writeCallersFile(folder: string, callee: string, services: readonly DevService[]): string {
  const tokens = services
    .filter(({ spec }) => dependenciesOf(spec).includes(callee))
    .map(
      ({ name: caller }) =>
        [caller, readFileSync(tokenFile(folder, caller, callee), "utf8")] as const,
    );
  const file = join(folder, `${callee}-${CALLERS_SECRET}`);
  writeFileSync(file, callersFile(Object.fromEntries(tokens)), { mode: 0o600 });
  return file;
}

/** Returns the file of a secret. Creates a random value the first time and keeps it. */
function secretFile(folder: string, name: string): string {
  const file = join(folder, name);
  if (!existsSync(file)) replaceFile(file, randomBytes(20).toString("hex"), { mode: 0o600 });
  return file;
}

/** The services require a password file, even if the database needs no password. */
function passwordFile(folder: string, password: string | undefined): string {
  if (!password) return secretFile(folder, "no-password");
  const file = join(folder, "postgres-password");
  writeFileSync(file, password, { mode: 0o600 });
  return file;
}
