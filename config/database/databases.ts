import * as pulumi from "@pulumi/pulumi";
import type { DatabaseServer } from "../../components/database/externalDatabase";
import { Mistake } from "../configError";
import { rootCertificate } from "../https/rootCertificate";
import { configSet, type Rule, when } from "../rule";
import type { ConfigValues } from "../schema";
import { isEncrypted } from "../values";
import { parseDatabaseUrl } from "./databaseUrl";

export const DATABASE_RULES: readonly Rule[] = [
  { reads: ["databaseUrl"], check: urlsEncrypted },
  { reads: ["databaseUrl"], check: servicesWithDatabase },
  { reads: ["databaseRoot"], check: ({ databaseRoot }) => rootOf(databaseRoot).mistakes },
];

function urlsEncrypted({ databaseUrl }: ConfigValues): Mistake[] {
  return when(
    Object.keys(databaseUrl).length > 0 && !isEncrypted("databaseUrl"),
    "databaseUrl",
    `has passwords in clear. Remove it from the stack's file, replace the passwords if others have seen them, then: ${configSet("--secret --path databaseUrl.SERVICE URL")}`,
  );
}

function servicesWithDatabase(
  { databaseUrl }: ConfigValues,
  { specs }: Parameters<Rule["check"]>[1],
): Mistake[] {
  return Object.keys(databaseUrl)
    .filter((service) => specs.get(service)?.database !== true)
    .map((service) => ({
      key: `databaseUrl.${service}`,
      problem: `${service} has no database: services/${service}/service.ts has no "database: true". Remove the URL.`,
    }));
}

/** Returns the external databases by service. The values have passed all rules. */
export function externalDatabases({
  databaseUrl,
  databaseRoot,
}: ConfigValues): Record<string, DatabaseServer> {
  const { root } = rootOf(databaseRoot);
  return Object.fromEntries(
    Object.entries(databaseUrl).map(([service, text]) => {
      const { password, ...url } = parseDatabaseUrl(text);
      const isChecked = url.sslMode === "verify-full" && root !== undefined;
      return [service, { ...url, password: pulumi.secret(password), ...(isChecked && { root }) }];
    }),
  );
}

/** Returns warnings, as "store:KEY: PROBLEM", of connections that others in the network could read or take over. */
export function databaseWarnings({ databaseUrl, databaseRoot }: ConfigValues): string[] {
  return Object.entries(databaseUrl).flatMap(([service, text]) => {
    const { sslMode } = parseDatabaseUrl(text);
    const problem =
      sslMode === "disable"
        ? "has sslmode=disable: whoever is in the network between store and server can read and change the data. Use it in a network of your own only."
        : sslMode === "require" && databaseRoot !== ""
          ? "has sslmode=require, which accepts any certificate and doesn't use store:databaseRoot. Use sslmode=verify-full."
          : undefined;
    return problem === undefined ? [] : [`store:databaseUrl.${service}: ${problem}`];
  });
}

function rootOf(databaseRoot: string): ReturnType<typeof rootCertificate> {
  return rootCertificate("databaseRoot", databaseRoot, "the databases' authority");
}
