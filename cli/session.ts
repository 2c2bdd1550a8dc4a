import { findDocker } from "../toolchain/docker";
import { Docker, DockerUnreachable } from "./docker";
import { configText, findStack, Project, readProject, Stack } from "./project";
import { findState, State } from "./state";

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

/** The Docker daemon that the stack's containers are on. Nothing is set up. */
export async function connectDocker(session: Session): Promise<Docker> {
  const host =
    configText(session.project, session.stack, "dockerHost") || (await findDocker())?.host;
  if (!host) throw new DockerUnreachable("any usual address", "no daemon was found");
  return new Docker(host);
}
