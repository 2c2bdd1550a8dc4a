import { describeFault, Fault, FaultyContainer, repairFault } from "../docker/containerFaults";
import type { Docker } from "@store/docker/docker";
import type { Reporter } from "../terminal/terminal";

/** Result of {@link repairFaults}: the faults that it leaves to the engine. */
export interface Repairs {
  /** Number of repaired faults. */
  readonly repaired: number;
  /** Descriptions of faults that a refresh finds. */
  readonly differences: readonly string[];
  /** URNs of containers to replace. */
  readonly replace: readonly string[];
}

/** Repairs what Docker can repair without replacing a container: reconnects, continues or restarts it. */
export async function repairFaults(
  docker: Docker,
  faulty: readonly FaultyContainer[],
  report: Reporter,
): Promise<Repairs> {
  const left: { readonly container: FaultyContainer; readonly fault: Fault }[] = [];
  let repaired = 0;
  for (const container of faulty) {
    for (const fault of container.faults) {
      if (await repairFault(docker, container.expected, fault)) {
        repaired++;
        report.note(`${container.name} ${describeFault(fault)}: repaired`);
      } else {
        left.push({ container, fault });
      }
    }
  }
  // A container may be unhealthy only because another one was paused or disconnected.
  const remaining = left.filter(({ fault }) => repaired === 0 || !isHealthFault(fault));
  const toReplace = remaining.filter(
    ({ container, fault }) =>
      // A database may be busy recovering; it is never replaced for its health.
      fault.kind !== "changed" && (container.expected.role === "service" || !isHealthFault(fault)),
  );
  return {
    repaired,
    differences: remaining.map(
      ({ container, fault }) => `${container.name} ${describeFault(fault)}`,
    ),
    replace: [...new Set(toReplace.map(({ container }) => container.expected.urn))],
  };
}

/** Describes all faults, for a host that must not be changed. */
export function describeFaults(faulty: readonly FaultyContainer[]): string[] {
  return faulty.flatMap(({ name, faults }) =>
    faults.map((fault) => `${name} ${describeFault(fault)}`),
  );
}

function isHealthFault({ kind }: Fault): boolean {
  return kind === "unhealthy" || kind === "restarting";
}
