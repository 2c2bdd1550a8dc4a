import type { Docker } from "@store/docker/docker";
import type { Inspection, StoreContainer } from "../containers";

/** State of the order of the gateway's certificate, as its container reports it (components/certificates/orderCertificate.sh). */
export interface CertificateOrder {
  readonly state: "ordering" | "valid" | "failed";
  /** Time of the next try, or of the next look whether to renew. */
  readonly next: Date;
  /** Error of lego. Empty if there is none. */
  readonly error: string;
}

/** Reads the state of the order. Undefined if the stack orders no certificate, and before the container's first output. */
export async function certificateOrder(
  docker: Docker,
  containers: readonly Pick<StoreContainer, "id" | "role">[],
): Promise<CertificateOrder | undefined> {
  const container = containers.find(({ role }) => role === "certificates");
  if (container === undefined) return undefined;
  const inspection = await docker.get<Inspection>(`/containers/${container.id}/json`);
  return parseOrder(inspection?.State.Health?.Log?.at(-1)?.Output ?? "");
}

/** Parses the output of the container's health check. */
export function parseOrder(output: string): CertificateOrder | undefined {
  const [, state, next, error = ""] =
    /^(ordering|valid|failed) (\d+) ?(.*)/.exec(output.trim()) ?? [];
  if (state !== "ordering" && state !== "valid" && state !== "failed") return undefined;
  return { state, next: new Date(Number(next) * 1000), error: messageIn(error) };
}

/** Returns the error in a line of lego's log, or the line if it is cut off, or none of the log. */
function messageIn(line: string): string {
  try {
    const { error, msg } = JSON.parse(line) as { error?: unknown; msg?: unknown };
    const message = error ?? msg;
    return typeof message === "string" ? message : line;
  } catch {
    return line;
  }
}

/**
 * Describes an order that goes on, or fails, in a sentence without its full stop.
 *
 * @param host Name or address of the stack's host.
 * @returns undefined if the certificate is there
 */
export function describeOrder(
  { state, next, error }: CertificateOrder,
  host: string,
): string | undefined {
  if (state === "valid") return undefined;
  if (state === "ordering") return "the certificate is being ordered";
  const time = next.toISOString().slice(0, 16).replace("T", " ");
  return `the certificate can't be ordered: ${causeOf(error, host)} Next try: ${time} UTC`;
}

/** Returns cause and remedy, by lego's error, in sentences. */
function causeOf(error: string, host: string): string {
  const [, type = "", detail = ""] =
    /urn:ietf:params:acme:error:(\w+) :: ([^\n]*)/.exec(error) ?? [];
  const cause = CAUSES[type]?.(host);
  if (cause !== undefined) return `${cause} (${sentenceIn(detail)}).`;
  if (/external account binding/i.test(error))
    return "the authority wants an account that is registered by hand. Set store:acmeDirectory to another one's.";
  if (/x509: certificate has expired or is not yet valid/.test(error))
    return `the clock of ${host} is wrong, or the authority's own certificate isn't valid (${lastPart(error)}).`;
  if (/x509: certificate signed by unknown authority/.test(error))
    return "the authority's root certificate isn't known. Set store:acmeRoot to it.";
  if (UNREACHABLE.test(error))
    return `its container doesn't reach the authority (${lastPart(error)}). Check store:acmeDirectory, and that ${host} has a way out.`;
  return `lego says: ${lastPart(error)}.`;
}

/** Causes of refusals, by the error of the authority. @see https://www.rfc-editor.org/rfc/rfc8555#section-6.7 */
const CAUSES: Readonly<Record<string, ((host: string) => string) | undefined>> = {
  rateLimited: () =>
    "the authority refuses further certificates for a while; a certificate that is already there stays in use",
  dns: (host) => `a name of store:domain leads nowhere. Create its DNS record for ${host}`,
  connection: (host) =>
    `the authority doesn't reach port 80 at the name. Its DNS record has to lead to ${host}, and no firewall may be in between`,
  unauthorized: (host) => `a name of store:domain leads to another server than ${host}`,
  incorrectResponse: (host) => `a name of store:domain leads to another server than ${host}`,
  caa: () => "a CAA record of the domain allows other authorities only. Change it",
  rejectedIdentifier: () =>
    "the authority issues no certificate for a name of store:domain. Set store:certificate",
  invalidContact: () => "the authority refuses store:acmeEmail. Change or remove it",
  unsupportedContact: () => "the authority refuses store:acmeEmail. Change or remove it",
  externalAccountRequired: () =>
    "the authority wants an account that is registered by hand. Set store:acmeDirectory to another one's",
  serverInternal: () => "the authority has a problem of its own",
};

const UNREACHABLE =
  /dial tcp|no such host|connection refused|i\/o timeout|deadline exceeded|giving up after|EOF|x509:/;

function sentenceIn(detail: string): string {
  return detail.replace(/, url: \S+$/, "").replace(/\.$/, "");
}

/** The last of the errors that Go's programs chain by colons is the cause. */
function lastPart(error: string): string {
  const text = error.trim().split("\n").at(-1) ?? "";
  return text.split(": ").slice(-2).join(": ").replace(/\.$/, "") || "nothing";
}
