import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { type SwarmNode, swarmNodes, workersIn } from "../docker/swarmNodes";
import type { EngineEvent } from "../engine/events";
import { findClosedPorts, machinesOf, type Peer } from "../host/swarmMachines";
import type { Session } from "../project/session";
import { storeCommand } from "../project/storeCommand";
import { type Checkpoint, resourceName } from "../state/checkpoint";
import { SERVICE_TYPE } from "../state/resourceTypes";

/** Returns true if a run has let machines join, or has failed to start instances on them: the ports between them may be closed. */
export function needsPortCheck(events: readonly EngineEvent[]): boolean {
  return events.some(
    ({ resOutputsEvent: done, resOpFailedEvent: failed }) =>
      failed?.metadata.type === SERVICE_TYPE ||
      (done !== undefined &&
        done.metadata.op !== "same" &&
        resourceName(done.metadata.urn) === MEMBERS),
  );
}

/** Name of the last command when machines join, as in components/swarm/swarm.ts. */
const MEMBERS = "swarm-members";

/**
 * Checks the ports between the machines of a stack. Swarm itself doesn't notice a closed one: machines are ready and instances start, but don't
 * reach each other.
 *
 * @returns the error to report; undefined if all ports are open, and for a stack with one machine
 */
export async function findPortProblem(
  session: Session,
  docker: Docker,
  checkpoint: Checkpoint | undefined,
): Promise<CliError | undefined> {
  const nodes = await swarmNodes(docker, checkpoint);
  if (nodes === undefined || nodes.length === 0) return undefined;
  const closed = await findClosedPorts(await peersOf(session, checkpoint, nodes));
  if (closed.length === 0) return undefined;
  return new CliError("Instances on different machines don't reach each other.", {
    details: closed,
    detailsTitle: "Closed ports",
    hint: `Open TCP 2377 and 7946 and UDP 7946 and 4789 between the machines, then: ${storeCommand("up", session.stack.name)}`,
  });
}

/** Returns the machines of a swarm, the manager first. */
export async function peersOf(
  session: Session,
  checkpoint: Checkpoint | undefined,
  nodes: readonly SwarmNode[],
): Promise<Peer[]> {
  const machines = await machinesOf(session, checkpoint);
  const ids = new Map(workersIn(checkpoint).map(({ name, nodeId }) => [name, nodeId]));
  return machines.flatMap(({ number, name: machine, target }) => {
    const node = nodes.find(({ id, isManager }) =>
      number === 0 ? isManager : id === ids.get(machine),
    );
    return node === undefined ? [] : [{ target, name: node.name, address: node.address }];
  });
}
