import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { ContainerSummary, LABEL } from "../docker/containers";
import { Docker } from "../docker/docker";
import { CliError } from "@store/docker/cliError";
import { configText, stackOption, storeCommand } from "../project/project";
import { Session } from "../project/session";

/**
 * Fails at once where somebody else has the gateway's port. Otherwise the engine would find out when it has taken the old
 * gateway away.
 */
export async function checkPort(session: Session, docker: Docker): Promise<void> {
  const port = Number(configText(session.project, session.stack, "httpPort"));
  // The program says what is wrong with a value that is none.
  if (!Number.isInteger(port) || port < 1 || port > 65535) return;
  // Elsewhere than on this machine we can't look.
  if (!docker.host.startsWith("unix:")) return;
  const holder = await containerOnPort(docker, port);
  if (holder) {
    if (isGatewayOf(holder, session)) return;
    throw portTaken(session, port, describeContainer(holder, session));
  }
  if (await isFree(port)) return;
  throw portTaken(session, port, await describeProcess(port));
}

/** The same failure when the engine met it. */
export async function diagnoseTakenPort(
  session: Session,
  docker: Docker | undefined,
  port: number,
): Promise<CliError> {
  const holder = docker ? await containerOnPort(docker, port) : undefined;
  const who = holder ? describeContainer(holder, session) : await describeProcess(port);
  return portTaken(session, port, who);
}

/** Who has the port, where that can be found. Exported for doctor. */
export async function portHolder(
  session: Session,
  docker: Docker | undefined,
  port: number,
): Promise<{ readonly ours: boolean; readonly who: string | undefined } | undefined> {
  const holder = docker ? await containerOnPort(docker, port) : undefined;
  if (holder) {
    return { ours: isGatewayOf(holder, session), who: describeContainer(holder, session) };
  }
  return (await isFree(port)) ? undefined : { ours: false, who: await describeProcess(port) };
}

function portTaken(session: Session, port: number, who: string | undefined): CliError {
  const stack = session.stack.name;
  return new CliError(
    `Port ${port} (store:httpPort) is already in use${who ? ` by ${who}` : ""}.`,
    {
      hint:
        `Stop that, or choose another port and bring the stack up again:\n` +
        `./store pulumi config set httpPort ${port + 1}${stackOption(stack)} && ${storeCommand("up", stack)}`,
    },
  );
}

async function containerOnPort(
  docker: Docker,
  port: number,
): Promise<ContainerSummary | undefined> {
  const running = await docker.list<ContainerSummary>("/containers/json");
  return running.find(({ Ports }) => (Ports ?? []).some(({ PublicPort }) => PublicPort === port));
}

function isGatewayOf(container: ContainerSummary, session: Session): boolean {
  const labels = container.Labels ?? {};
  return (
    labels[LABEL.project] === session.project.name &&
    labels[LABEL.stack] === session.stack.name &&
    labels[LABEL.role] === "gateway"
  );
}

function describeContainer(container: ContainerSummary, session: Session): string {
  const name = (container.Names[0] ?? container.Id).replace(/^\//, "");
  const labels = container.Labels ?? {};
  return labels[LABEL.project] === session.project.name
    ? `the container ${name} of the stack ${labels[LABEL.stack]}`
    : `the container ${name}`;
}

/** Tried at the address to which the gateway of a local host is published. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

async function describeProcess(port: number): Promise<string | undefined> {
  const pid = process.platform === "linux" ? listenerOnLinux(port) : await listenerByLsof(port);
  if (pid === undefined) return undefined;
  const command = commandOf(pid);
  return `process ${pid}${command ? ` (${command})` : ""}`;
}

function listenerOnLinux(port: number): number | undefined {
  const sockets = new Set(
    ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) => listeningSockets(file, port)),
  );
  return numbersIn("/proc").find((pid) =>
    numbersIn(`/proc/${pid}/fd`).some((fd) => {
      try {
        return sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        // Closed since it was listed.
        return false;
      }
    }),
  );
}

/** As the links in /proc/PID/fd show them. */
export function listeningSockets(file: string, port: number): string[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    // A kernel without IPv6.
    return [];
  }
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const LISTEN = "0A";
  return text.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    return fields[1]?.endsWith(`:${hex}`) && fields[3] === LISTEN ? [`socket:[${fields[9]}]`] : [];
  });
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder)
      .map(Number)
      .filter((name) => Number.isInteger(name));
  } catch {
    // Another user's, or ended since.
    return [];
  }
}

async function listenerByLsof(port: number): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)("lsof", [
      "-nP",
      `-iTCP:${port}`,
      "-sTCP:LISTEN",
      "-t",
    ]);
    return Number(stdout.split("\n")[0]) || undefined;
  } catch {
    // No lsof, or it may not look at the process: then the message goes without.
    return undefined;
  }
}

function commandOf(pid: number): string | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
    return words.length > 60 ? `${words.slice(0, 57)}...` : words;
  } catch {
    // Not Linux.
    return undefined;
  }
}
