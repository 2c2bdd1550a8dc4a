import * as pulumi from "@pulumi/pulumi";
import { Host } from "../host/host";
import { readWithoutComments, withArguments } from "../shell/shell";

/** Most processes and threads of a container at a time. */
const LIMITS = {
  // HAProxy has a thread for each core, and twice as many while it reloads.
  gateway: 512,
  service: 128,
  // PostgreSQL has a process for each of its 100 connections and a dozen of its own.
  database: 256,
  certificates: 64,
};

export interface ProcessLimit {
  readonly role: keyof typeof LIMITS;
  /** IDs of the containers. */
  readonly containers: readonly pulumi.Output<string>[];
  /** Most processes and threads of each container. Defaults to the limit of the role. */
  readonly processes?: number;
}

/** Limits the containers' processes by a command, because the docker provider has no argument for it. */
export function limitProcesses(
  host: Host,
  opts: pulumi.CustomResourceOptions,
  limits: readonly ProcessLimit[],
): void {
  const containers = new Map<number, pulumi.Output<string>[]>();
  for (const { role, containers: ids, processes = LIMITS[role] } of limits) {
    // The instances of a service on a swarm.
    if (ids.length === 0) continue;
    containers.set(processes, [...(containers.get(processes) ?? []), ...ids]);
  }
  const args = [...containers].flatMap(([limit, ids]) => [
    String(limit),
    pulumi.all(ids).apply((values) => values.join(" ")),
  ]);
  host.run(
    "process-limits",
    pulumi.all(args).apply((values) => withArguments(LIMIT_PROCESSES_SCRIPT, values)),
    opts,
  );
}

const LIMIT_PROCESSES_SCRIPT = readWithoutComments(__dirname, "limitProcesses.sh");
