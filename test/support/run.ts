import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import type { CommandResult } from "./workspace";

const REPOSITORY = resolve(__dirname, "../..");

/** Runs a program. @throws an error only if it can't be started. */
export async function run(
  program: string,
  args: readonly string[],
  cwd: string = REPOSITORY,
  env: NodeJS.ProcessEnv = process.env,
): Promise<CommandResult> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, {
      cwd,
      env,
      maxBuffer: 64 * 1024 * 1024,
    });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout?: string; stderr?: string };
    if (typeof code !== "number") throw error;
    return { code, output: `${stdout ?? ""}${stderr ?? ""}` };
  }
}

/** Runs a program in the repository. @returns its output. @throws Error with the output if it fails. */
export function succeed(program: string, ...args: string[]): Promise<string> {
  return succeedIn(REPOSITORY, program, ...args);
}

/** Runs a program in a folder, like {@link succeed}. */
export async function succeedIn(
  folder: string,
  program: string,
  ...args: string[]
): Promise<string> {
  const { code, output } = await run(program, args, folder);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}:\n${output}`);
  return output;
}

/** Runs the docker command, like {@link succeed}. */
export function docker(...args: string[]): Promise<string> {
  return succeed("docker", ...args);
}
