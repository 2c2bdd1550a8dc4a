import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { HttpsArgs } from "../components/storeArgs";
import { automaticCertificate } from "./automaticCertificate";
import { checkCertificate } from "./certificate";
import { Mistake } from "./configError";
import { domainNames } from "./domainNames";
import { ConfigValues } from "./schema";
import { configSet } from "./rule";
import { isEncrypted } from "./values";

export interface HttpsConfig {
  /** Undefined without store:domain: the store is served by HTTP only. */
  readonly https?: HttpsArgs;
  /** Problems that don't prevent an `up`, as "store:KEY: PROBLEM". */
  readonly warnings: readonly string[];
}

/** Reads and checks the store's names and their certificate. Adds the mistakes to the list. */
export function httpsConfig(values: ConfigValues, mistakes: Mistake[]): HttpsConfig {
  const names = domainNames(values.domain);
  if (names.length === 0) return { warnings: [] };
  const common = { names, port: values.httpsPort, hstsSeconds: values.hstsSeconds };
  if (values.certificate === "") {
    const { acme, ...found } = automaticCertificate(values, names);
    mistakes.push(...found.mistakes);
    return { https: { ...common, certificate: acme }, warnings: found.warnings };
  }
  const pem = readPem(values.certificate, mistakes);
  if (pem === undefined) return { warnings: [] };
  const checked = checkCertificate(pem, names);
  mistakes.push(...checked.mistakes.map((problem) => ({ key: "certificate", problem })));
  const { certificate } = checked;
  return {
    https: certificate && {
      ...common,
      certificate: { ...certificate, pem: pulumi.secret(certificate.pem) },
    },
    warnings: checked.warnings.map((warning) => `store:certificate: ${warning}`),
  };
}

/** Returns the content of store:certificate, which is the value itself or a file. Adds a mistake if there is none. */
function readPem(value: string, mistakes: Mistake[]): string | undefined {
  if (isPem(value)) return value;
  const path = resolve(PROJECT, value);
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    // The value may be an encrypted text that isn't PEM.
    const cause = isEncrypted("certificate")
      ? "isn't a certificate in PEM, nor the path of a file."
      : unreadable(value, error as NodeJS.ErrnoException);
    const problem = `${cause} Name a file with the certificate, its chain and the private key, or set the content as a secret: ${configSet("--secret certificate < FILE")}`;
    mistakes.push({ key: "certificate", problem });
    return undefined;
  }
}

/** The value isn't shown if it may be a certificate with its key in another form, such as base64. */
function unreadable(value: string, { code }: NodeJS.ErrnoException): string {
  if (value.length > LONGEST_PATH) return "is neither a certificate in PEM nor the path of a file.";
  return `can't read the file ${value}: ${code === "ENOENT" ? "there is none" : (code ?? "unknown error")}.`;
}

const LONGEST_PATH = 255;

export function isPem(value: string): boolean {
  return value.includes("-----BEGIN");
}

/** Paths of the configuration are relative to this folder. */
const PROJECT = resolve(__dirname, "..");
