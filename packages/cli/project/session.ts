import { findDocker } from "@store/toolchain/tools/docker";
import { Docker } from "../docker/docker";
import { CliError } from "@store/docker/cliError";
import { configText, findStack, Project, readProject, Stack, storeCommand } from "./project";
import { findState, State } from "../state/state";

/** The stack that a verb is about, with where its state is. */
export interface Session {
  readonly project: Project;
  readonly stack: Stack;
  readonly state: State;
}

/** What every verb that is about a stack takes. */
export interface StackOptions {
  readonly stack: string;
  /** @default the environment's STORE_CONFIG_FILE, else Pulumi.STACK.yaml */
  readonly configFile?: string;
}

export function openSession(options: StackOptions): Session {
  const project = readProject();
  const configFile = options.configFile ?? process.env["STORE_CONFIG_FILE"];
  return {
    project,
    stack: findStack(project, options.stack, configFile),
    state: findState(project),
  };
}

/** Whether the stack's containers run on the Docker daemon of this machine. */
export function isLocal(session: Session): boolean {
  return configText(session.project, session.stack, "host") === "local";
}

/** The Docker daemon of this machine. Nothing is set up. */
export async function connectLocalDocker(session: Session): Promise<Docker> {
  const configured = configuredDocker(session);
  if (configured) return configured;
  const found = await findDocker();
  if (found.found) return new Docker(found.host);
  throw new CliError(found.problem, {
    hint:
      found.plan.action === "tell"
        ? found.plan.remedy
        : `${storeCommand("up", session.stack.name)} sees to it; ./store doctor says how.`,
  });
}

/** The one that the stack's configuration names: nobody is to set up another one in its place. */
export function configuredDocker(session: Session): Docker | undefined {
  const host = configText(session.project, session.stack, "dockerHost");
  return host === "" ? undefined : new Docker(host);
}
