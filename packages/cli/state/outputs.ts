import { ensureEngine } from "@store/toolchain/engine/engine";
import { resourceName } from "./checkpoint";
import { CliError } from "@store/docker/cliError";
import { Session } from "../project/session";
import { captureOnStack, engineEnvironment, fetchCheckpoint } from "../engine/setup";
import { reporter } from "../terminal/terminal";

/** What the program says about a stack that is up. Only what the command looks at. */
export interface Outputs {
  readonly url?: string;
  readonly token?: string;
  /** How its host is reached; absent where that is this machine. */
  readonly access?: HostAccess;
}

/** As components/host/host.ts has it. */
export interface HostAccess {
  readonly kind: "azure" | "ssh";
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
  readonly hostKey: string;
}

// Names of the resources without which an output means nothing, as the components have them.
const GATEWAY = "gateway";
const STAFF_TOKEN = "staff-token";
const HOST_READY = "host-ready";

/** The outputs of the stack's last run, secrets too, as far as what they are about is there. */
export async function stackOutputs(session: Session): Promise<Outputs> {
  const engine = await ensureEngine(reporter());
  const ready = { engine, env: engineEnvironment(session, engine) };
  const { exitCode, stdout, stderr } = await captureOnStack(session, ready, [
    ...["stack", "output", "--json", "--show-secrets"],
    ...["--stack", session.stack.name, "--non-interactive", "--color", "never"],
  ]);
  if (exitCode === 0) {
    // The engine keeps the outputs of a stack that went down.
    const record = await fetchCheckpoint(session, ready);
    const there = new Set((record?.resources ?? []).map(({ urn }) => resourceName(urn)));
    const outputs = JSON.parse(stdout) as Outputs;
    return {
      ...(there.has(GATEWAY) && { url: outputs.url }),
      ...(there.has(STAFF_TOKEN) && { token: outputs.token }),
      ...(there.has(HOST_READY) && { access: outputs.access }),
    };
  }
  if (/no stack named/.test(stderr)) return {};
  throw new CliError(`What the stack ${session.stack.name} says about itself can't be read.`, {
    details: stderr.trim().split("\n"),
    detailsTitle: "pulumi stack output",
    hint: "./store doctor says which backend is in use.",
  });
}
