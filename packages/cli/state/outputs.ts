import type { HostAccess } from "../../../components/host/host";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { resourceName } from "./checkpoint";
import { CliError } from "@store/docker/cliError";
import { Session } from "../project/session";
import { engineEnvironment } from "../engine/environment/engineEnvironment";
import { fetchCheckpoint } from "../engine/loadCheckpoint";
import { captureOnStack } from "../engine/runOnStack";
import { wrongPassphrase } from "./passphrase";
import { reporter } from "../terminal/terminal";
import { storeCommand } from "../project/storeCommand";

/** Outputs of the program; only those that the CLI uses. Each is absent while the resource that it describes doesn't exist. */
export interface Outputs {
  readonly url?: string;
  readonly token?: string;
  /** SSH access to the stack's host. Absent for a local host. */
  readonly access?: HostAccess;
}

// Names of the resources that the outputs describe, as in components/.
const GATEWAY = "gateway";
const STAFF_TOKEN = "staff-token";
const HOST_READY = "host-ready";

/**
 * Reads the stack's outputs, including secrets. Returns an empty object if there is no such stack.
 *
 * @throws CliError
 */
export async function stackOutputs(session: Session): Promise<Outputs> {
  const engine = await ensureEngine(reporter());
  const context = { engine, env: engineEnvironment(session, engine) };
  const { exitCode, stdout, stderr } = await captureOnStack(session, context, [
    ...["stack", "output", "--json", "--show-secrets"],
    ...[
      "--stack",
      session.stack.reference ?? session.stack.name,
      "--non-interactive",
      "--color",
      "never",
    ],
  ]);
  if (exitCode === 0) {
    // The engine keeps the outputs of a destroyed stack.
    const checkpoint = await fetchCheckpoint(session, context);
    const existing = new Set((checkpoint?.resources ?? []).map(({ urn }) => resourceName(urn)));
    const outputs = JSON.parse(stdout) as Outputs;
    return {
      ...(existing.has(GATEWAY) && { url: outputs.url }),
      ...(existing.has(STAFF_TOKEN) && { token: outputs.token }),
      ...(existing.has(HOST_READY) && { access: outputs.access }),
    };
  }
  if (/no stack named/.test(stderr)) return {};
  throw unreadableOutputs(session, stderr);
}

/** @param stderr Error output of `pulumi stack output`. */
export function unreadableOutputs(
  session: Session,
  stderr: string,
  env: NodeJS.ProcessEnv = process.env,
): CliError {
  const { name } = session.stack;
  const problem = /passphrase/.test(stderr) ? wrongPassphrase(session, env) : undefined;
  return new CliError(
    `Can't read the outputs of the stack ${name}.${problem ? ` ${problem.summary}` : ""}`,
    {
      details: stderr.trim().split("\n"),
      detailsTitle: "pulumi stack output",
      hint: problem?.hint ?? `${storeCommand("doctor", name)} says which backend is in use.`,
    },
  );
}
