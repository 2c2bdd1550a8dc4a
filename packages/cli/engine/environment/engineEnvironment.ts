import { Engine } from "@store/toolchain/engine/engineEnv";
import type { DockerEndpoint } from "@store/docker/endpoint";
import { dockerEnvironment } from "@store/docker/environment";
import { dockerConfigFolder, tlsVariables } from "./dockerConfig";
import { Session } from "../../project/session";
import { prepareState } from "../../state/state";

/**
 * Environment of the engine.
 *
 * @param endpoint Docker daemon that builds the images. @default none, for Pulumi's commands that don't run the program
 */
export function engineEnvironment(
  session: Session,
  engine: Engine,
  endpoint?: Pick<DockerEndpoint, "host" | "certPath">,
): NodeJS.ProcessEnv {
  return {
    // Less garbage collection in the engine and its plugins, which are Go programs with small heaps. The user's own value has
    // precedence. https://go.dev/doc/gc-guide#GOGC
    GOGC: "400",
    ...dockerEnvironment(endpoint),
    ...engine.env,
    ...prepareState(session.state),
    ...dockerConfigVariables(session, endpoint),
    PULUMI_STACK: session.stack.reference ?? session.stack.name,
    // The engine's version is pinned.
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
}

function dockerConfigVariables(
  { state }: Session,
  endpoint: Pick<DockerEndpoint, "host" | "certPath"> | undefined,
): NodeJS.ProcessEnv {
  const config = dockerConfigFolder(state.folder);
  if (endpoint?.certPath === undefined) return { DOCKER_CONFIG: config };
  const { host, certPath } = endpoint;
  return { ...tlsVariables(state.folder, { host, certPath }, config), DOCKER_HOST: undefined };
}
