import * as pulumi from "@pulumi/pulumi";
import type { HttpsArgs } from "../../components/storeArgs";
import { automaticCertificate } from "./automaticCertificate";
import { checkCertificate } from "./certificate";
import { Mistake } from "../configError";
import { storeNames } from "./domainNames";
import { pemValue } from "./pemValue";
import { ConfigValues } from "../schema";
import { configSet } from "../rule";
import { isEncrypted } from "../values";

export interface HttpsConfig {
  /** Undefined without a name: the store is served by HTTP only. */
  readonly https?: HttpsArgs;
  /** Problems that don't prevent an `up`, as "store:KEY: PROBLEM". */
  readonly warnings: readonly string[];
}

function httpOnly(): string {
  return `store:domain: is empty, so logins and customers' addresses travel unencrypted. For HTTPS, set a domain of your own: ${configSet("domain NAME")}; or, for a trial, a label, to whose name at Azure the store's address belongs: ${configSet("dnsLabel LABEL")}`;
}

/**
 * Reads and checks the store's names and their certificate, if it has any. Adds the mistakes to the list.
 *
 * @param hosts Further names, of services that answer for certain hosts.
 */
export function httpsConfig(
  values: ConfigValues,
  hosts: readonly string[],
  mistakes: Mistake[],
): HttpsConfig {
  const ownNames = storeNames(values);
  const names = [...new Set([...ownNames, ...hosts])];
  if (ownNames.length === 0) return { warnings: values.host === "azure" ? [httpOnly()] : [] };
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
  const read = pemValue(value);
  if ("pem" in read) return read.pem;
  // The value may be an encrypted text that isn't PEM.
  const cause = isEncrypted("certificate")
    ? "isn't a certificate in PEM, nor the path of a file."
    : read.problem;
  const problem = `${cause} Name a file with the certificate, its chain and the private key, or set the content as a secret: ${configSet("--secret certificate < FILE")}`;
  mistakes.push({ key: "certificate", problem });
  return undefined;
}
