/** Runs Azure's command-line tool az, for operations without a resource in the Pulumi provider: credentials of a registry. */
import { spawn } from "node:child_process";

/**
 * @param {string} registryId /subscriptions/…/Microsoft.ContainerRegistry/registries/NAME
 * @returns {{name: string, subscription: string}}
 */
export function registryOf(registryId) {
  const found =
    /^\/subscriptions\/([^/]+)\/.*\/Microsoft\.ContainerRegistry\/registries\/([^/]+)$/i.exec(
      registryId,
    );
  if (found === null) throw new Error(`${registryId} isn't the resource ID of an Azure registry.`);
  const [, subscription = "", name = ""] = found;
  return { name, subscription };
}

/**
 * @param {string[]} args
 * @returns {Promise<string>} the output of az; the error has one line with the configuration key, the cause and what to do
 */
export function az(args) {
  return new Promise((resolve, reject) => {
    const child = spawn("az", [...args, "--only-show-errors"], {
      stdio: ["ignore", "pipe", "pipe"],
      // On Windows, az is a batch file, which needs a shell.
      shell: process.platform === "win32",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (data) => (stdout += data));
    child.stderr.on("data", (data) => (stderr += data));
    child.once("error", (error) =>
      reject(
        "code" in error && error.code === "ENOENT"
          ? new Error(
              "store:azureRegistry: needs Azure's command az, which isn't on PATH. Install it (https://aka.ms/azure-cli) and run " +
                "`az login`, or use another registry (store:registry).",
            )
          : error,
      ),
    );
    child.once("close", (code) => {
      if (code === 0) resolve(stdout.trim());
      else reject(new Error(refusal(args, stderr)));
    });
  });
}

/**
 * @param {string[]} args
 * @param {string} stderr
 */
function refusal(args, stderr) {
  const why = stderr.trim().split("\n").slice(-3).join(" ");
  const login = /az login|AADSTS|not logged in|refresh token/i.test(why)
    ? " Run `az login` as the user or service principal that Pulumi uses."
    : "";
  const command = args
    .slice(
      0,
      args.findIndex((arg) => arg.startsWith("--")),
    )
    .join(" ");
  return `store:azureRegistry: az ${command} failed: ${why}${login}`;
}
