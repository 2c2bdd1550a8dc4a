import { Mistake } from "../configError";
import { parseCertificates } from "./certificate";
import { pemValue, type PEM_KEYS } from "./pemValue";

export interface RootCertificate {
  /** PEM with one certificate or several. Undefined if the key isn't set, or invalid. */
  readonly root?: string;
  readonly mistakes: readonly Mistake[];
}

/**
 * Reads the root certificates of an authority: the key's value itself, or the file that it names.
 *
 * @param authority The authority, for the message.
 */
export function rootCertificate(
  key: Exclude<(typeof PEM_KEYS)[number], "certificate">,
  value: string,
  authority: string,
): RootCertificate {
  if (value === "") return { mistakes: [] };
  const read = pemValue(value);
  const problems =
    "problem" in read
      ? [`${read.problem} Name a file with the root certificate of ${authority}.`]
      : rootProblems(read.pem);
  const mistakes = problems.map((problem) => ({ key, problem }));
  return "pem" in read && mistakes.length === 0 ? { root: read.pem, mistakes } : { mistakes };
}

function rootProblems(pem: string): readonly string[] {
  const { chain, mistakes } = parseCertificates(pem);
  if (mistakes.length > 0) return mistakes;
  return chain.length > 0
    ? []
    : ['has no certificate. It should be PEM, from "-----BEGIN CERTIFICATE-----" on.'];
}
