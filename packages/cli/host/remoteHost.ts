import { mkdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { HostAccess } from "../../../components/host/host";
import { sshFolder, writeSshFiles } from "../../../components/host/ssh/sshFiles";
import { fillPlaceholders, readWithoutComments, shellQuote } from "../../../components/shell/shell";
import { CliError, UsageError } from "@store/docker/cliError";
import { publishesHere } from "@store/docker/endpoint";
import { dockerEnvironment } from "@store/docker/environment";
import { replaceFile } from "@store/docker/replaceFile";
import { sshTarget } from "@store/docker/sshAgent";
import { stackOutputs } from "../state/outputs";
import { dockerEndpoint, isLocal, Session } from "../project/session";
import { storeCommand } from "../project/storeCommand";

/** A stack's host that is another machine, with the files that ssh and docker need to connect to it. */
export interface RemoteHost {
  readonly access: HostAccess;
  /** Name of the host in {@link sshConfig}. Further machines have it with their number: {@link machineAlias}. */
  readonly alias: string;
  /** Path of an ssh configuration: the user's own, and the alias with its key and its pinned host key. */
  readonly sshConfig: string;
  /** Folder for PATH with an `ssh` that uses that configuration, because docker has no option for it. */
  readonly bin: string;
}

/** @throws CliError if the stack has a local host or isn't up. */
export async function remoteHost(session: Session): Promise<RemoteHost> {
  const { stack, project } = session;
  if (isLocal(session)) {
    const { host } = dockerEndpoint(session);
    throw publishesHere(host) ? noRemoteHost(stack.name) : dockerElsewhere(stack.name, host);
  }
  const { access } = await stackOutputs(session);
  if (access === undefined) {
    throw new CliError(`The stack ${stack.name} has no host because it isn't up.`, {
      hint: `Bring it up: ${storeCommand("up", stack.name)}`,
    });
  }
  return prepare(join(project.root, sshFolder(stack.name)), stack.name, access);
}

function noRemoteHost(stack: string): UsageError {
  return new UsageError(
    `The stack ${stack} runs on this machine and has no remote host.`,
    `Name a stack with a remote host, for example staging.`,
  );
}

/** The user connects Docker to another machine: the stack has no login of its own there. */
function dockerElsewhere(stack: string, dockerHost: string): UsageError {
  return new UsageError(
    `The stack ${stack} has no host of its own: it runs on the Docker daemon at ${dockerHost}.`,
    dockerHost.startsWith("ssh:")
      ? `Log in to that machine: ${["ssh", ...sshTarget(dockerHost).args].join(" ")}`
      : "Name a stack with a remote host, for example staging.",
  );
}

/**
 * Writes the SSH files whose paths are in the state. Usually the program writes them, but a refresh and a destroy don't run the
 * program and may run in a workspace that has never run `up`.
 */
export async function ensureSshFiles(session: Session): Promise<void> {
  if (isLocal(session)) return;
  const { access } = await stackOutputs(session);
  const { project, stack } = session;
  if (access !== undefined) writeSshFiles(join(project.root, sshFolder(stack.name)), access);
}

/** Environment in which docker connects to the host. */
export function remoteEnvironment(
  { alias, bin }: Pick<RemoteHost, "alias" | "bin">,
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const path = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== bin);
  return {
    ...dockerEnvironment({ host: `ssh://${alias}` }, env),
    PATH: [bin, ...path].join(delimiter),
  };
}

/** Arguments for ssh. @param machine Number of the machine. @default 0 */
export function sshArguments(remote: RemoteHost, machine = 0): string[] {
  return ["-F", remote.sshConfig, machineAlias(remote, machine)];
}

/**
 * Returns the name of one of the stack's machines for ssh and docker.
 *
 * @param machine Number of the machine: 0 for the host, from 1 for the workers of a swarm.
 */
export function machineAlias({ alias }: Pick<RemoteHost, "alias">, machine: number): string {
  return machine === 0 ? alias : `${alias}-${machine}`;
}

function prepare(folder: string, stack: string, access: HostAccess): RemoteHost {
  const files = writeSshFiles(folder, access);
  const alias = `store-${stack}`;
  const machines = [access, ...(access.workers ?? [])];
  const sshConfig = join(folder, "config");
  replaceFile(sshConfig, sshConfigText({ alias, machines, ...files }), { mode: 0o600 });
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true, mode: 0o700 });
  replaceFile(join(bin, "ssh"), sshWrapper({ alias, bin, sshConfig }), { mode: 0o700 });
  return { access, alias, sshConfig, bin };
}

interface SshConfig {
  readonly alias: string;
  /** The host, and the workers of a swarm. */
  readonly machines: readonly Pick<HostAccess, "address" | "port" | "user">[];
  /** Path of the private key. */
  readonly identity: string;
  /** Path of the pinned host keys. */
  readonly knownHosts: string;
}

/** Returns an ssh configuration with the stack's machines. */
export function sshConfigText({ alias, machines, identity, knownHosts }: SshConfig): string {
  const blocks = machines.map(({ address, port, user }, i) =>
    fillPlaceholders(SSH_MACHINE, {
      ...{ name: machineAlias({ alias }, i), address, port: String(port), user },
      ...{ identity, knownHosts },
    }),
  );
  return fillPlaceholders(SSH_CONFIG, { machines: blocks.join("\n") });
}

const SSH_CONFIG = readFileSync(join(__dirname, "ssh.conf"), "utf8");
const SSH_MACHINE = readWithoutComments(__dirname, "sshMachine.conf");

/** Returns the script that runs the user's ssh with our configuration. The paths may have any characters. */
export function sshWrapper({
  alias,
  bin,
  sshConfig,
}: Pick<RemoteHost, "alias" | "bin" | "sshConfig">): string {
  const words = [bin, "-F", sshConfig].map(shellQuote).join(" ");
  return [
    "#!/bin/sh",
    `# Written by ./store: the user's ssh, which also knows the machine ${alias}.`,
    `set -- ${words} "$@"`,
    `${SSH_WRAPPER}\n`,
  ].join("\n");
}

const SSH_WRAPPER = readWithoutComments(__dirname, "sshWrapper.sh");
