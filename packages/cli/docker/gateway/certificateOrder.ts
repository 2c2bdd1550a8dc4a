import type { Docker } from "@store/docker/docker";
import { CERTIFICATES } from "../../../../components/certificates/acme";
import { isInZone, parseZone } from "../../../../config/https/azureZone";
import { configText } from "../../project/project";
import type { Session } from "../../project/session";
import { storeCommand } from "../../project/storeCommand";
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

/** The stack whose certificate is ordered, for messages. */
export interface OrderingStack {
  readonly name: string;
  /** Name or address of its host. */
  readonly host: string;
  /** Name of the zone in which the stack creates DNS records itself (store:dnsZone). Defaults to none. */
  readonly dnsZone?: string;
  /** The host is a machine reached by SSH (store:host is "ssh"). Defaults to false. */
  readonly isSshHost?: boolean;
}

/**
 * Reads what the messages need from the stack's configuration.
 *
 * @param host Name or address of the stack's host.
 */
export function orderingStack(
  { project, stack }: Pick<Session, "project" | "stack">,
  host: string,
): OrderingStack {
  const zone = configText(project, stack, "dnsZone");
  return {
    name: stack.name,
    host,
    dnsZone: zone === "" ? undefined : parseZone(zone).name,
    isSshHost: configText(project, stack, "host") === "ssh",
  };
}

/** Returns true if the stack creates the DNS record of a name itself. */
export function createsRecord({ dnsZone }: OrderingStack, name: string): boolean {
  return dnsZone !== undefined && isInZone(name.toLowerCase(), dnsZone);
}

/**
 * Describes an order that goes on, or fails, in a sentence without its full stop. Its commands work when typed.
 *
 * @returns undefined if the certificate is there
 */
export function describeOrder(
  { state, next, error }: CertificateOrder,
  stack: OrderingStack,
): string | undefined {
  if (state === "valid") return undefined;
  if (state === "ordering") return "the certificate is being ordered";
  const { cause, remedy, isLimit } = causeOf(error, stack.host);
  const time = next.toISOString().slice(0, 16).replace("T", " ");
  return [
    `the certificate can't be ordered: ${cause}.`,
    ...(remedy ? [`${remedy(stack)}.`] : []),
    `Next try: ${time} UTC${isLimit ? "" : `; at once: ${storeCommand(RETRY, stack.name)}`}`,
  ].join(" ");
}

/** Ends the container's only process, so that Docker starts it again. */
const RETRY = `exec ${CERTIFICATES} -- sh -c 'kill 1'`;

/** Cause of a failed order. */
interface Cause {
  /** A sentence without its full stop. */
  readonly cause: string;
  /** Returns what to do, as a sentence without its full stop. Defaults to nothing but to wait. */
  readonly remedy?: (stack: OrderingStack) => string;
  /** The authority has refused for a time, for which the container waits whatever happens. Defaults to false. */
  readonly isLimit?: boolean;
}

/** Returns the cause by lego's error. */
function causeOf(error: string, host: string): Cause {
  const [, type = "", detail = ""] =
    /urn:ietf:params:acme:error:(\w+) :: ([^\n]*)/.exec(error) ?? [];
  const found = CAUSES[type]?.(host, detail);
  if (found !== undefined) return { ...found, cause: `${found.cause} (${sentenceIn(detail)})` };
  if (/external account binding/i.test(error)) return EXTERNAL_ACCOUNT;
  if (/x509: certificate has expired or is not yet valid/.test(error))
    return {
      cause: `the clock of ${host} is wrong, or the authority's own certificate isn't valid (${lastPart(error)})`,
      remedy: ({ name }) => `Look at the clock: ${storeCommand("ssh -- date -u", name)}`,
    };
  if (/x509: certificate signed by unknown authority/.test(error))
    return {
      cause: "the authority's root certificate isn't known",
      remedy: setAndUp("Set its file (store:acmeRoot)", "acmeRoot FILE"),
    };
  if (UNREACHABLE.test(error))
    return {
      cause: `its container doesn't reach the authority (${lastPart(error)})`,
      remedy: ({ isSshHost }) =>
        `Check store:acmeDirectory, and that ${host} has a way out${isSshHost ? `. ${OWN_AUTHORITY}` : ""}`,
    };
  return { cause: `lego says: ${lastPart(error)}` };
}

const address =
  (text: string) =>
  ({ name }: OrderingStack): string =>
    `${text}: ${storeCommand("ip", name)}`;

/** Returns a remedy that sets a key. */
function setAndUp(text: string, key: string, input = ""): (stack: OrderingStack) => string {
  return ({ name }) =>
    `${text}: ${storeCommand(`pulumi config set ${key}`, name)}${input}; then ${storeCommand("up", name)}`;
}

/** Returns one remedy for a name whose record the stack creates, and another one for each other name. The error's detail has the name. */
function byRecord(
  detail: string,
  own: (stack: OrderingStack) => string,
  other: (stack: OrderingStack) => string,
): (stack: OrderingStack) => string {
  return (stack) =>
    namesIn(detail).some((name) => createsRecord(stack, name)) ? own(stack) : other(stack);
}

const CREATE_RECORD = address("Create its DNS record with the address that this prints");
/** The cause of a name that leads nowhere although the stack has created its record. */
export const DELEGATION =
  "Its record in store:dnsZone is found once the domain's registrar has the zone's name servers (docs/https.md)";

/** The remedy for a name that leads to another address although the stack has created its record, whose TTL is 60 s. */
export const FORMER_RECORD =
  "Wait a minute, until resolvers have forgotten a former record of store:dnsZone. If that doesn't help, check that the domain's registrar has the zone's name servers (docs/https.md)";

/** Containers don't reach the ports of an SSH host (components/host/ssh/closePorts.sh). */
const OWN_AUTHORITY = `An authority on the host itself has to run in a container on the network of ${CERTIFICATES} (docs/https.md)`;

const EXTERNAL_ACCOUNT: Cause = {
  cause: "the authority wants an account that is registered by hand",
  remedy: setAndUp("Choose another authority", "acmeDirectory URL"),
};
const OTHER_SERVER = (host: string, detail: string): Cause => ({
  cause: `a name of the store leads to another server than ${host}`,
  remedy: byRecord(
    detail,
    () => FORMER_RECORD,
    address("Its DNS record needs the address that this prints"),
  ),
});
const REFUSED_CONTACT: Cause = {
  cause: "the authority refuses store:acmeEmail",
  remedy: setAndUp("Set another one", "acmeEmail ADDRESS"),
};

/** Causes of refusals, by the error of the authority. @see https://www.rfc-editor.org/rfc/rfc8555#section-6.7 */
const CAUSES: Readonly<Record<string, ((host: string, detail: string) => Cause) | undefined>> = {
  rateLimited: () => ({
    cause:
      "the authority refuses further certificates for a while; a certificate that is already there stays in use",
    isLimit: true,
  }),
  dns: (_, detail) => ({
    cause: "a name of the store leads nowhere",
    remedy: byRecord(detail, () => DELEGATION, CREATE_RECORD),
  }),
  connection: (_, detail) => ({
    cause: "the authority doesn't reach port 80 at the name",
    remedy: byRecord(
      detail,
      address(
        "No firewall may be in between, and the name has to lead to the address that this prints",
      ),
      address(
        "No firewall may be in between, and the DNS record needs the address that this prints",
      ),
    ),
  }),
  unauthorized: OTHER_SERVER,
  incorrectResponse: OTHER_SERVER,
  caa: () => ({
    cause: "a CAA record of the domain allows other authorities only",
    remedy: setAndUp("Change it, or order from one that it allows", "acmeDirectory URL"),
  }),
  rejectedIdentifier: () => ({
    cause: "the authority issues no certificate for a name of the store",
    remedy: setAndUp("Set one of your own", "--secret certificate", " < FILE"),
  }),
  invalidContact: () => REFUSED_CONTACT,
  unsupportedContact: () => REFUSED_CONTACT,
  externalAccountRequired: () => EXTERNAL_ACCOUNT,
  serverInternal: () => ({ cause: "the authority has a problem of its own" }),
};

const UNREACHABLE =
  /dial tcp|no such host|connection refused|i\/o timeout|deadline exceeded|giving up after|EOF|x509:/;

/** Returns the host names in a message, such as "NXDOMAIN looking up A for shop.example.org". */
function namesIn(detail: string): string[] {
  return detail.match(/[a-z0-9-]+(\.[a-z0-9-]+)+/gi) ?? [];
}

/** lego puts several errors into square brackets. */
function sentenceIn(detail: string): string {
  return detail.replace(/, url: \S*$/, "").replace(/\]?\.?$/, "");
}

/** The last of the errors that Go's programs chain by colons is the cause. */
function lastPart(error: string): string {
  const text = error.trim().split("\n").at(-1) ?? "";
  return text.split(": ").slice(-2).join(": ").replace(/\.$/, "") || "nothing";
}
