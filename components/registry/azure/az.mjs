/** Azure's own command, for what Pulumi's provider has no resource for: credentials of a registry. */
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
  if (found === null) throw new Error(`${registryId} isn't the id of a registry in Azure.`);
  const [, subscription = "", name = ""] = found;
  return { name, subscription };
}

/**
 * @param {string[]} args
 * @returns {Promise<string>} what it printed; an error says why it can't in one line, with the key of the configuration before it
 */
export function az(args) {
  return new Promise((resolve, reject) => {
    const child = spawn("az", [...args, "--only-show-errors"], {
      stdio: ["ignore", "pipe", "pipe"],
      // There it is a batch file.
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
              "store:azureRegistry: needs Azure's command az, and there is none on PATH. Install it (https://aka.ms/azure-cli) and log in by " +
                "`az login`, or use a registry of your own (store:registry).",
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
    ? " Log in by `az login`, as the user or service principal that Pulumi uses."
    : "";
  const command = args
    .slice(
      0,
      args.findIndex((arg) => arg.startsWith("--")),
    )
    .join(" ");
  return `store:azureRegistry: az ${command} failed: ${why}${login}`;
}
