/** The docker command, with a configuration of its own. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Time limit in seconds for a look-up in the registry. */
export const LOOK_SECONDS = 60;

/**
 * Folder of the docker command's configuration, from which alone it reads credentials. This one is temporary; the user's own stays
 * untouched.
 */
export const configFolder = mkdtempSync(join(tmpdir(), "store-publish-"));
process.once("exit", () => rmSync(configFolder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

/** @typedef {{code: number | null, output: string}} Result Exit code, null if the command was killed, and output of both streams. */
/**
 * @typedef {object} Options
 * @property {boolean} [quiet] Doesn't copy the output to stderr. Defaults to false.
 * @property {number} [seconds] Time limit. Defaults to none.
 * @property {string} [command] Path of the docker command. Defaults to "docker".
 * @property {string} [input] Standard input. Defaults to none.
 */

/**
 * Runs a docker command.
 *
 * @param {string[]} args
 * @param {Options} [options]
 * @returns {Promise<Result>}
 * @throws Error if there is no docker command.
 */
export function docker(args, { quiet = false, seconds, command = "docker", input = "" } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: "pipe",
      env: {
        ...withoutChoices(process.env),
        DOCKER_CONFIG: configFolder,
        DOCKER_BUILDKIT: "1",
        // One manifest per image, so that the digest is the one that the host pulls.
        BUILDX_NO_DEFAULT_ATTESTATIONS: "1",
      },
    });
    // Not Node's own timeout, which keeps running for a missing command and delays the exit.
    const limit =
      seconds === undefined ? undefined : setTimeout(() => child.kill(), seconds * 1000);
    // A command may end without reading its input; its exit code tells the cause.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data) => {
        output += data;
        if (!quiet) process.stderr.write(data);
      });
    }
    child.once("error", (error) => {
      clearTimeout(limit);
      reject(
        "code" in error && error.code === "ENOENT"
          ? new Error("pushing images needs the docker command, which isn't on PATH")
          : error,
      );
    });
    child.once("close", (code, signal) => {
      clearTimeout(limit);
      resolve({
        code,
        output: signal === null ? output : `${output}\ntimeout: no answer within ${seconds} s`,
      });
    });
  });
}

/**
 * Removes variables that choose another builder, context or platform.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
function withoutChoices(env) {
  const chosen = /^(BUILDX_|BUILDKIT_|DOCKER_CONTEXT$|DOCKER_DEFAULT_PLATFORM$)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !chosen.test(name)));
}

/**
 * @param {string} output
 * @param {number} count
 */
export function lastLines(output, count) {
  return output.trimEnd().split("\n").slice(-count).join("\n");
}
