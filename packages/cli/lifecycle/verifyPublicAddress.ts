import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { describeFault, findFaults, STOP_SECONDS } from "../docker/containerFaults";
import { awaitPublicAddress, describeAnswer } from "../docker/publicAddress";
import { stackContainers } from "../docker/stackContainers";
import { publishesHere, storeUrl } from "../docker/url";
import { loadCheckpoint } from "../engine/setup";
import { stackOption, storeCommand } from "../project/project";
import type { Session } from "../project/session";
import type { Reporter } from "../terminal/terminal";

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
  docker: Docker,
  report: Reporter,
): Promise<string> {
  const stack = session.stack.name;
  const containers = await stackContainers(session, docker);
  const url = storeUrl(containers, "localhost");
  if (url === undefined) {
    throw new CliError(`The gateway of the stack ${stack} isn't running.`, {
      hint: `See what runs: ${storeCommand("ps", stack)}`,
    });
  }
  // The address can't be reached from here.
  if (!publishesHere(docker.host)) return url;
  let answer = await awaitPublicAddress(url, REFUSED_PATIENCE_MS);
  const gateway = containers.find(({ role }) => role === "gateway");
  if (answer.kind === "refused" && gateway) {
    report.note(`nothing listens at ${url}: restarting ${gateway.name}`);
    await docker.post(`/containers/${gateway.id}/restart?t=${STOP_SECONDS}`);
  }
  if (answer.kind !== "ok") answer = await awaitPublicAddress(url, PATIENCE_MS);
  if (answer.kind === "ok") return url;
  const faulty = await findFaults(docker, await loadCheckpoint(session));
  throw new CliError(`The containers run, but ${url} ${describeAnswer(answer)}.`, {
    details: faulty.flatMap(({ name, faults }) => faults.map((f) => `${name} ${describeFault(f)}`)),
    detailsTitle: "Containers",
    hint:
      answer.kind === "foreign"
        ? `Another program listens on that port, too. Stop it, or choose another port: ./store pulumi config set httpPort PORT${stackOption(stack)}`
        : `See their health: ${storeCommand("ps", stack)}; their logs: ./store logs${stackOption(stack)}`,
  });
}
