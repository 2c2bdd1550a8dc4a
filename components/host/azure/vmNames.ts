/** Returns the name of a worker in the program, which is also the name of its VM. @param number Number from 1 on */
export function workerName(number: number): string {
  return `worker-${number}`;
}

/** Returns true for the name of a worker's VM in the program, false for that of the host. */
export function isWorkerName(name: string): boolean {
  return /^worker-\d+$/.test(name);
}

/**
 * Returns the VM's host name. Azure accepts letters, digits and hyphens, no hyphen at an end, and at most 64 characters; the names of
 * projects and stacks may also contain dots and underscores.
 *
 * @param worker Number of the worker. Defaults to the host.
 */
export function computerName(project: string, stack: string, worker?: number): string {
  const name = `${project}-${stack}`
    .replaceAll(/[^A-Za-z0-9-]/g, "-")
    .slice(0, 60)
    .replaceAll(/^-+|-+$/g, "");
  return worker === undefined ? name : `${name}-${worker}`;
}
