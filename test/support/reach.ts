import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const SCRIPT = readFileSync(join(__dirname, "reach.sh"), "utf8");

/** Outcome of a connection from inside a container: reach.sh. */
export type Reach = "connected" | "refused" | "unknown" | "unreachable" | "timeout";

/** Runs a command in a container and returns its output. */
export type Exec = (...command: string[]) => Promise<string>;

/** Addresses of the metadata services of clouds. */
export const METADATA = ["169.254.169.254:80", "168.63.129.16:80"];

/** Addresses outside of a host, of which the first doesn't exist anywhere. */
export const OUTSIDE = ["198.51.100.1:443", ...METADATA];

/** Tries to connect from inside a container to each HOST:PORT. */
export async function reachFrom(
  exec: Exec,
  targets: readonly string[],
): Promise<Readonly<Record<string, Reach>>> {
  const output = await exec("bash", "-c", SCRIPT, "reach", ...targets);
  const lines = output.trim().split(/\r?\n/);
  assert.equal(lines.length, targets.length, output);
  return Object.fromEntries(targets.map((target, index) => [target, lines[index] as Reach]));
}

/**
 * Asserts that a container has no way out of the store: neither a route to other machines, nor an address of the host that answers.
 *
 * @param host HOST:PORT of the host's own ports, on which somebody listens.
 */
export async function assertNoWayOut(
  name: string,
  exec: Exec,
  host: readonly string[],
): Promise<void> {
  const reached = await reachFrom(exec, [...OUTSIDE, ...host]);
  for (const target of OUTSIDE) assert.equal(reached[target], "unreachable", `${name}: ${target}`);
  for (const target of host)
    assert.match(reached[target] ?? "", /^(unreachable|timeout)$/, `${name}: ${target}`);
}
