import { processIdentity } from "@store/toolchain/system/processIdentity";
import { run } from "@store/toolchain/system/run";

/** Label of everything that a rehearsal creates in Docker. The value is the rehearsal's ID. */
export const LABEL = "dev.store.rehearsal";
/** Label with the identity of the process that created it; see orphans.ts. */
export const OWNER_LABEL = "dev.store.rehearsal.owner";

/** Returns the options of `docker create` that set the rehearsal's labels. */
export function labelled(id: string): string[] {
  return ["--label", `${LABEL}=${id}`, "--label", `${OWNER_LABEL}=${processIdentity()}`];
}

/** Runs the docker command. @returns its standard output. @throws an error with its output if it fails. */
export async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run("docker", args);
  if (code === 0) return stdout.trim();
  throw new Error(`docker ${args[0] ?? ""} failed: ${stderr.trim() || stdout.trim()}`);
}

/** Runs the docker command. @returns whether it succeeded. */
export async function dockerQuietly(...args: string[]): Promise<boolean> {
  return (await run("docker", args)).code === 0;
}

/** Returns the names of a rehearsal's containers, volumes or networks. */
export async function namesOf(
  kind: "container" | "volume" | "network",
  id: string,
): Promise<string[]> {
  const list = await docker(
    ...[kind, "ls", ...(kind === "container" ? ["--all"] : [])],
    ...["--filter", `label=${LABEL}=${id}`],
    ...["--format", kind === "container" ? "{{.Names}}" : "{{.Name}}"],
  );
  return list.split("\n").filter((line) => line !== "");
}
