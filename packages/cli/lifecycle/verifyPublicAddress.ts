import { CliError } from "@store/docker/cliError";
import { publishesHere } from "@store/docker/endpoint";
import {
  certificateOrder,
  type CertificateOrder,
  createsRecord,
  DELEGATION,
  describeOrder,
  FORMER_RECORD,
  type OrderingStack,
  orderingStack,
} from "../docker/gateway/certificateOrder";
import { findFaults, STOP_SECONDS } from "../docker/containerFaults";
import { awaitPublicAddress, describeAnswer } from "../docker/gateway/publicAddress";
import {
  describeCertificate,
  needsRenewal,
  otherAddresses,
  servedCertificate,
} from "../docker/gateway/servedCertificate";
import { stackContainers } from "../docker/stackContainers";
import { storeUrl } from "../docker/gateway/url";
import { loadCheckpoint } from "../engine/loadCheckpoint";
import { configList, ordersCertificate, trustedRoot } from "../project/project";
import type { Session } from "../project/session";
import type { Reporter } from "../terminal/terminal";
import { describeFaults } from "./repairFaults";
import type { StackHost } from "./stackHost";
import { storeCommand } from "../project/storeCommand";

/** Time for the gateway to notice what was repaired, and for a service to become ready again. */
const PATIENCE_MS = 20_000;
/** Docker publishes the port before a container counts as started. */
const REFUSED_PATIENCE_MS = 2_000;

/**
 * Asks the store at its public address until it answers. Restarts the gateway once if nothing listens at its port: the process of
 * Docker's that listens there ends when it has too many open connections (moby/moby, cmd/docker-proxy).
 *
 * @returns the address
 * @throws CliError if the gateway isn't running, or if the store doesn't answer
 */
export async function verifyPublicAddress(
  session: Session,
  { docker, address, isLocal }: StackHost,
  report: Reporter,
): Promise<string> {
  const stack = session.stack.name;
  const containers = await stackContainers(session, docker);
  const url = storeUrl(containers, address);
  if (url === undefined) {
    throw new CliError(`The gateway of the stack ${stack} isn't running.`, {
      hint: `See what runs: ${storeCommand("ps", stack)}`,
    });
  }
  // A local stack is published at its daemon's 127.0.0.1, which may be another machine's.
  if (isLocal && !publishesHere(docker.host)) return url;
  let answer = await awaitPublicAddress(url, address, REFUSED_PATIENCE_MS);
  const gateway = containers.find(({ role }) => role === "gateway");
  if (isLocal && answer.kind === "refused" && gateway) {
    report.note(`nothing listens at ${url}: restarting ${gateway.name}`);
    await docker.post(`/containers/${gateway.id}/restart?t=${STOP_SECONDS}`);
  }
  const isBlocked = answer.kind === "silent" || answer.kind === "refused";
  if (
    !isLocal &&
    isBlocked &&
    (await findFaults(docker, await loadCheckpoint(session))).length === 0
  ) {
    report.note(
      `${url} ${describeAnswer(answer)}. The containers have no faults, so a firewall may keep this machine out.`,
    );
    return url;
  }
  if (answer.kind !== "ok") answer = await awaitPublicAddress(url, address, PATIENCE_MS);
  if (answer.kind === "ok") {
    if (url.startsWith("https:")) {
      const order = await certificateOrder(docker, containers);
      await noteHttpsProblems(session, { url, host: address, order }, report);
    }
    return url;
  }
  const faulty = await findFaults(docker, await loadCheckpoint(session));
  throw new CliError(`The containers run, but ${url} ${describeAnswer(answer)}.`, {
    details: describeFaults(faulty),
    detailsTitle: "Containers",
    hint:
      answer.kind === "foreign"
        ? `Another program listens on that port, too. Stop it, or choose another port: ${storeCommand(`pulumi config set ${url.startsWith("https:") ? "httpsPort" : "httpPort"} PORT`, stack)}`
        : `See their health: ${storeCommand("ps", stack)}; their logs: ${storeCommand("logs", stack)}`,
  });
}

/** Reports what keeps clients away although the gateway answers: the certificate, or the name's address. */
export async function noteHttpsProblems(
  session: Pick<Session, "project" | "stack">,
  served: { readonly url: string; readonly host: string; readonly order?: CertificateOrder },
  report: Reporter,
): Promise<void> {
  const { url, host, order } = served;
  const { hostname } = new URL(url);
  const isOrdered = ordersCertificate(session.project, session.stack);
  const stack = orderingStack(session, host);
  const orderNote = order && describeOrder(order, stack);
  // With a load balancer in front, the name leads to that.
  const hasProxies = configList(session.project, session.stack, "trustedProxies").length > 0;
  const [certificate, found] = await Promise.all([
    servedCertificate(url, trustedRoot(session.project, session.stack), host),
    hasProxies ? undefined : otherAddresses(hostname, host),
  ]);
  if (orderNote !== undefined) report.note(orderNote);
  else if (certificate && needsRenewal(certificate, isOrdered))
    report.note(
      `the certificate of ${hostname} is ${describeCertificate(certificate)}` +
        (isOrdered
          ? `. Another one is being ordered: ${storeCommand("ps", session.stack.name)}`
          : ""),
    );
  if (found !== undefined) report.note(describeName(hostname, found, stack));
}

/** @param found Addresses to which the name leads instead of the host's. */
function describeName(name: string, found: readonly string[], stack: OrderingStack): string {
  const problem = found.length === 0 ? "leads nowhere" : `leads to ${found.join(", ")}`;
  const ownRecord = found.length === 0 ? DELEGATION : FORMER_RECORD;
  const remedy = createsRecord(stack, name)
    ? ownRecord
    : `Clients reach the store once its DNS record leads to ${stack.host}`;
  return `${name} ${problem}. ${remedy}.`;
}
