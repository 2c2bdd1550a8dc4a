import { spawn } from "node:child_process";
import { run } from "@store/toolchain/system/run";
import { processIdentity } from "@store/toolchain/system/processIdentity";

/** What everything of a rehearsal in Docker is labelled with; the value is the rehearsal's id. */
export const LABEL = "dev.store.rehearsal";
/** Who made it, see owner.ts. */
export const OWNER_LABEL = "dev.store.rehearsal.owner";

/** Options of the docker command for whatever it makes for a rehearsal. */
export function labelled(id: string): string[] {
  return ["--label", `${LABEL}=${id}`, "--label", `${OWNER_LABEL}=${processIdentity()}`];
}

/** Runs the docker command. @throws an error with what it said. */
export async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run("docker", args);
  if (code === 0) return stdout.trim();
  throw new Error(`docker ${args[0] ?? ""} failed: ${stderr.trim() || stdout.trim()}`);
}

/** The same for what may fail, such as removing what isn't there. */
export async function dockerQuietly(...args: string[]): Promise<boolean> {
  return (await run("docker", args)).code === 0;
}

/** The same, with something on its standard input. */
export function dockerWithInput(input: string | Buffer, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("docker", args, { stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(stdout.trim());
      else reject(new Error(`docker ${args[0] ?? ""} failed: ${stderr.trim()}`));
    });
    // A command that ends without reading it all says why by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

/** The names of what a rehearsal has in Docker: containers, volumes or networks. */
export async function namesOf(
  kind: "container" | "volume" | "network",
  id: string,
): Promise<string[]> {
  const all = kind === "container" ? ["--all"] : [];
  const name = kind === "container" ? "{{.Names}}" : "{{.Name}}";
  const list = await docker(
    kind,
    "ls",
    ...all,
    "--filter",
    `label=${LABEL}=${id}`,
    "--format",
    name,
  );
  return list.split("\n").filter((line) => line !== "");
}
