/** Causes for which a registry refuses what docker asks of it. */
import { access, registry } from "./inputs.mjs";

/**
 * Returns an error with the cause and the last lines of the docker command.
 *
 * @param {string} output
 * @returns {Error}
 */
export function refused(output) {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  // Docker prints the progress of each layer.
  const ofLayers = lines.filter((line) => /^[0-9a-f]{12}: /.test(line));
  const why = lines.filter((line) => !ofLayers.includes(line)).slice(-3);
  const because = (/** @type {string} */ what) => new Error([what, ...why].join("\n"));
  if (/unauthorized|denied|authentication required|no basic auth|incorrect username/i.test(output))
    return because(loginRejected());
  if (/server gave HTTP response to HTTPS client/i.test(output))
    return because(
      `the registry ${registry} speaks plain HTTP, which this machine's Docker allows only for its "insecure-registries" (daemon.json)`,
    );
  if (/no space left/i.test(output)) return because("a disk is full, here or in the registry");
  if (
    !/connection refused|no such host|no route|timeout|deadline|EOF|reset|x509|TLS|unreachable|canceled/i.test(
      output,
    )
  )
    return because(`the registry ${registry} refuses the image`);
  return ofLayers.length > 0
    ? because(
        `the connection to the registry ${registry} broke; the registry keeps the layers that it has, and the next up continues from there`,
      )
    : because(`the registry ${registry} can't be reached (store:registry: address)`);
}

function loginRejected() {
  if (access.azureRegistry !== undefined)
    return `this Azure login may not push to the registry ${registry}: it needs the role AcrPush, Contributor or Owner there`;
  return access.username
    ? `the registry ${registry} rejects the login (store:registry: username, password)`
    : `the registry ${registry} rejects this machine's docker login: run docker login ${registry}, or set store:registry's username and password`;
}
