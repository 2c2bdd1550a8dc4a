import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { type DockerEndpoint, resolveDockerEndpoint } from "@store/docker/endpoint";
import { findDocker } from "@store/toolchain/tools/docker";
import { Docker } from "@store/docker/docker";
import { CliError } from "@store/docker/cliError";
import {
  configText,
  configValue,
  engineReference,
  findStack,
  Project,
  readProject,
  Stack,
} from "./project";
import { storeCommand } from "./storeCommand";
import { findState, State } from "../state/state";

/** A stack with its project and the location of its state. */
export interface Session {
  readonly project: Project;
  readonly stack: Stack;
  readonly state: State;
}

/** Options of all commands for a stack. */
export interface StackOptions {
  readonly stack: string;
  /** @default STORE_CONFIG_FILE of the environment, or Pulumi.STACK.yaml */
  readonly configFile?: string;
}

export function openSession(options: StackOptions): Session {
  const project = readProject();
  const stack = findOwnStack(project, options);
  const state = findState(project, process.env, stack);
  const isWorkspace = state.backend.kind === "workspace";
  const reference = engineReference(project.name, options.stack, isWorkspace);
  return { project, stack: { ...stack, reference }, state };
}

/** Finds the stack by its file, which STORE_CONFIG_FILE may name. */
export function findOwnStack(project: Project, options: StackOptions): Stack {
  return findStack(project, options.stack, options.configFile ?? process.env["STORE_CONFIG_FILE"]);
}

/** Checks whether the stack's containers run on this machine (store:host is "local"). */
export function isLocal(session: Session): boolean {
  return configText(session.project, session.stack, "host") === "local";
}

/** Checks whether the stack runs on a VM that it creates (store:host is "azure"). */
export function isAzure(session: Session): boolean {
  return configText(session.project, session.stack, "host") === "azure";
}

/** Checks the configuration for workers: the services run on other machines than the gateway. */
export function hasSeveralMachines({ project, stack }: Session): boolean {
  const workers = configValue(project, stack, "workers");
  return (
    Number(configText(project, stack, "hosts")) > 1 ||
    (Array.isArray(workers) && workers.length > 0)
  );
}

/**
 * Finds Docker on this machine. Installs and starts nothing.
 *
 * @throws CliError if it isn't running
 */
export async function connectLocalDocker(session: Session): Promise<Docker> {
  const found = await findDocker(dockerEndpoint(session));
  if (found.found) return new Docker(found);
  throw new CliError(found.problem, {
    hint:
      found.plan.action === "tell"
        ? found.plan.remedy
        : `${storeCommand("up", session.stack.name)} installs or starts it; ${storeCommand("doctor", session.stack.name)} shows how.`,
  });
}

/** Finds the Docker daemon that builds the stack's images and runs a local stack. @throws CliError if there is no such context */
export function dockerEndpoint({ project, stack }: Session): DockerEndpoint {
  const configured = existsSync(stack.file) ? configText(project, stack, "dockerHost") : "";
  return resolveDockerEndpoint(process.env, homedir(), configured);
}
