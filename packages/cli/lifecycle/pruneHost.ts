import type { Docker } from "@store/docker/docker";
import { LABEL } from "../../../components/container/labelNames";
import { shellQuote } from "../../../components/shell/shell";
import { hasWorkers } from "../docker/swarmNodes";
import { runOnHost } from "../host/hostShell";
import { type Machine, machinesOf } from "../host/swarmMachines";
import type { Session } from "../project/session";
import type { Checkpoint } from "../state/checkpoint";
import type { Reporter } from "../terminal/terminal";

/** Age of an image, from which it is removed if no container uses it. A roll-back to a newer one needs no download. */
const UNUSED_FOR = "168h";

/**
 * Removes the project's images from a host that only pulls them, and where each `up` would add some. Images of others stay. An Azure VM
 * does it by itself: components/host/azure/cloud-init/store-prune.service.
 */
export async function pruneHost(docker: Docker, project: string, report: Reporter): Promise<void> {
  const filters = {
    dangling: ["false"],
    until: [UNUSED_FOR],
    label: [`${LABEL.project}=${project}`],
  };
  const query = encodeURIComponent(JSON.stringify(filters));
  const refusal = await docker.post(`/images/prune?filters=${query}`);
  if (refusal !== undefined) report.note(`old images stay on the host: ${refusal}`);
}

/** Removes old images from the workers of a stack on SSH machines, like {@link pruneHost}. @throws CliError */
export async function pruneWorkers(
  session: Session,
  checkpoint: Checkpoint | undefined,
  report: Reporter,
): Promise<void> {
  if (!hasWorkers(checkpoint)) return;
  const [, ...workers] = await machinesOf(session, checkpoint);
  await pruneMachines(workers, session.project.name, report);
}

/** Limit for a machine, in milliseconds: an `up` waits as long for one that is down. The next `up` removes the rest. */
const PRUNE_MS = 20_000;

export async function pruneMachines(
  machines: readonly Machine[],
  project: string,
  report: Reporter,
): Promise<void> {
  const label = shellQuote(`label=${LABEL.project}=${project}`);
  const script = `docker image prune --all --force --filter until=${UNUSED_FOR} --filter ${label}`;
  await Promise.all(
    machines.map(async ({ target, address }) => {
      const { code, stderr } = await runOnHost(target, script, { timeoutMs: PRUNE_MS });
      const reason = stderr.trim().split("\n").at(-1) || `no answer within ${PRUNE_MS / 1000} s`;
      if (code !== 0) report.note(`old images stay on ${address}: ${reason}`);
    }),
  );
}
