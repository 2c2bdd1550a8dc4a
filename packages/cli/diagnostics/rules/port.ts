import { createServer } from "node:net";
import { CliError } from "@store/docker/cliError";
import { publishesHere } from "@store/docker/endpoint";
import { LABEL } from "../../../../components/container/labelNames";
import { ContainerSummary, parseContainer } from "../../docker/containers";
import { loadOwnResources } from "../../docker/stackContainers";
import type { Docker } from "@store/docker/docker";
import { configText, type Project, type Stack } from "../../project/project";
import { storeCommand } from "../../project/storeCommand";
import { isLocal, type Session } from "../../project/session";
import { isOwnContainer, OwnResources } from "../../state/ownResources";

/** The container or process that listens on a port. */
export interface PortHolder {
  /** The port is held by the gateway of the same stack. */
  readonly isOwnGateway: boolean;
  /** "process 4711 (nginx)"; undefined if the process can't be determined, for example if it belongs to another user. */
  readonly description: string | undefined;
}

/** Key with a port of the gateway. */
export type PortKey = "httpPort" | "httpsPort";

/** Returns the keys of the ports that the gateway publishes. */
export function publishedPortKeys(project: Project, stack: Stack): readonly PortKey[] {
  return configText(project, stack, "domain") === "" ? ["httpPort"] : ["httpPort", "httpsPort"];
}

/**
 * Fails early if a port of the gateway (store:httpPort, store:httpsPort) is in use. The engine would notice only after it has removed the
 * previous gateway. Does nothing if Docker runs on another machine.
 *
 * @throws CliError
 */
export async function checkPorts(session: Session, docker: Docker): Promise<void> {
  for (const key of publishedPortKeys(session.project, session.stack))
    await checkPort(session, docker, key);
}

async function checkPort(session: Session, docker: Docker, key: PortKey): Promise<void> {
  const port = Number(configText(session.project, session.stack, key));
  // The program reports an invalid value.
  if (!Number.isInteger(port) || port < 1 || port > 65535) return;
  if (!docker.host.startsWith("unix:")) return;
  const holder = await portHolder(session, docker, port);
  if (holder && !holder.isOwnGateway)
    throw await portTakenError(session, key, port, holder.description);
}

/** Returns the error for a port that the engine found in use. */
export async function diagnoseTakenPort(
  session: Session,
  docker: Docker | undefined,
  port: number,
): Promise<CliError> {
  const holder = await portHolder(session, docker, port);
  return portTakenError(session, keyOfPort(session, String(port)), port, holder?.description);
}

/** Returns the key that has this port as its value. */
export function keyOfPort({ project, stack }: Session, port: string): PortKey {
  const keys = publishedPortKeys(project, stack);
  return keys.find((key) => configText(project, stack, key) === port) ?? "httpPort";
}

/** Returns undefined if the port is free, or if its holder is a process of another machine. */
export async function portHolder(
  session: Session,
  docker: Docker | undefined,
  port: number,
): Promise<PortHolder | undefined> {
  const container = docker && (await containerOnPort(docker, port));
  if (container) return describeContainer(container, session, await loadOwnResources(session));
  const isHere = docker === undefined ? isLocal(session) : publishesHere(docker.host);
  if (!isHere || (await isFree(port))) return undefined;
  return { isOwnGateway: false, description: await describeProcess(port) };
}

async function portTakenError(
  session: Session,
  key: PortKey,
  port: number,
  holder: string | undefined,
): Promise<CliError> {
  const stack = session.stack.name;
  return new CliError(
    `Port ${port} (store:${key}) is already in use${isLocal(session) ? "" : " on the host"}${holder ? ` by ${holder}` : ""}.`,
    {
      hint:
        `Stop that, or choose another port and bring the stack up again:\n` +
        `${storeCommand(`pulumi config set ${key} ${await freePortAfter(port)}`, stack)} && ${storeCommand("up", stack)}`,
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

function describeContainer(
  container: ContainerSummary,
  session: Session,
  own: OwnResources,
): PortHolder {
  const parsed = parseContainer(container);
  const { name, role, stack } = parsed;
  const isOwnGateway = role === "gateway" && isOwnContainer(own, parsed);
  const isStore = container.Labels?.[LABEL.project] === session.project.name;
  const owner =
    stack === session.stack.name ? `another checkout's stack ${stack}` : `the stack ${stack}`;
  return { isOwnGateway, description: `the container ${name}${isStore ? ` of ${owner}` : ""}` };
}

/** Returns the next port that is free on this machine, as a suggestion. */
export async function freePortAfter(port: number): Promise<number> {
  for (let next = port + 1; next < Math.min(port + 100, 65_536); next++) {
    if (await isFree(next)) return next;
  }
  return 8080;
}

/** Tries the address to which a local stack's gateway is published. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** The part of find-process that is used; the types of its ESM build, which TypeScript chooses, don't resolve. */
interface FindProcess {
  readonly default: (
    by: "port",
    port: number,
  ) => Promise<{ pid: number; name: string; cmd: string }[]>;
}

async function describeProcess(port: number): Promise<string | undefined> {
  // Loaded only when needed: it takes 14 ms.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { default: findProcess } = require("find-process") as FindProcess;
  try {
    const [holder] = await findProcess("port", port);
    if (!holder) return undefined;
    const command = (holder.cmd || holder.name).trim();
    const shortened = command.length > 60 ? `${command.slice(0, 57)}...` : command;
    return `process ${holder.pid}${shortened ? ` (${shortened})` : ""}`;
  } catch {
    // None of ss, netstat and lsof is installed.
    return undefined;
  }
}
