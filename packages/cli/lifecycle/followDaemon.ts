import { CliError } from "@store/docker/cliError";
import type { DockerEndpoint } from "@store/docker/endpoint";
import {
  checkDaemonOf,
  daemonId,
  daemonIn,
  hasResources,
  PROVIDER_TYPE,
} from "../docker/stackDaemonCheck";
import { editState } from "../engine/editState";
import { fetchCheckpoint } from "../engine/loadCheckpoint";
import { EngineContext } from "../engine/setup";
import { Session } from "../project/session";
import type { Resource } from "../state/checkpoint";
import { StackDaemon } from "../state/stackDaemon";
import { takeLock } from "../state/locks";
import { stackLockFile } from "../state/state";
import type { Reporter } from "../terminal/terminal";
import { storeCommand } from "../project/storeCommand";

/**
 * Makes the state of a local stack use the current address of its Docker daemon. A refresh and a destroy use the address in the state,
 * which is outdated after the daemon's socket has moved. Call it before a command that runs the engine.
 *
 * @param options.isPreview The caller doesn't hold the stack's lock, and nothing but an outdated address may change. Defaults to false.
 * @throws CliError if the current daemon is another one than that with the stack's resources
 */
export async function followDaemon(
  session: Session,
  engine: EngineContext,
  report: Reporter,
  { isPreview = false }: { readonly isPreview?: boolean } = {},
): Promise<void> {
  const { docker } = engine;
  if (docker === undefined) return;
  const { state, stack } = session;
  const record = new StackDaemon(state, stack.name);
  const recorded = record.read();
  const current = { host: docker.host, id: await daemonId(docker) };
  const isRecorded = recorded?.host === current.host && recorded.id === current.id;
  // Reading the state from a remote backend is slow.
  if (isRecorded && state.backend.kind === "user") return;

  const checkpoint = await fetchCheckpoint(session, engine);
  const oldHost = checkpoint && daemonIn(checkpoint)?.host;
  if (checkpoint !== undefined && oldHost !== undefined && oldHost !== docker.host) {
    await checkDaemonOf(checkpoint, session, docker);
    if (isPreview) {
      const release = takeLock(
        stackLockFile(state, stack.name),
        stack.name,
        `preview ${stack.name}`,
      );
      try {
        // Another run may have moved the state meanwhile.
        await followDaemon(session, engine, report);
      } finally {
        release();
      }
      return;
    }
    report.step(`Docker has moved from ${oldHost} to ${docker.host}; updating the state`);
    await editState(
      session,
      engine,
      checkpoint,
      withHost(oldHost, docker.endpoint),
      `Updating Docker's address in the state of ${stack.name} failed.`,
    );
  } else if (checkpoint && recorded === undefined && state.backend.kind === "user") {
    if (!(await hasResources(docker, checkpoint))) throw otherMachine(session);
  } else if (checkpoint && recorded && !isRecorded && !(await hasResources(docker, checkpoint))) {
    report.note(
      `another Docker daemon than before answers at ${docker.host}; none of the stack's resources are on it`,
    );
  }
  if (!isRecorded && !isPreview) record.record(current);
}

/** The state is shared, and this checkout has never used the stack: its resources are on the Docker of the machine that did. */
function otherMachine({ state, stack }: Session): CliError {
  return new CliError(
    `The containers of the stack ${stack.name} are on another machine's Docker: its state at ${state.backend.url} has resources, but none are here.`,
    {
      hint:
        `Nothing was changed. Copy Pulumi.${stack.name}.yaml to a file with another stack's name, without stateBackend, for a stack of your own.\n` +
        `If that machine is gone for ever, with its data, forget its resources: ${storeCommand("pulumi state delete --all --force --yes", stack.name)}`,
    },
  );
}

const COMMAND_TYPE = "command:local:Command";

/** Returns a function that changes the address of Docker in a provider and in commands on this machine. */
export function withHost(
  from: string,
  to: Pick<DockerEndpoint, "host" | "certPath">,
): (resource: Resource) => Resource {
  const moved = (values: Resource["inputs"]): Resource["inputs"] => {
    if (values === undefined) return undefined;
    const environment = values["environment"] as Readonly<Record<string, unknown>> | undefined;
    return {
      ...values,
      ...(values["host"] === from && {
        host: to.host,
        ...("certPath" in values && { certPath: to.certPath ?? "" }),
      }),
      ...(environment?.["DOCKER_HOST"] === from && {
        environment: { ...environment, DOCKER_HOST: to.host },
      }),
    };
  };
  return (resource) =>
    resource.type === PROVIDER_TYPE || resource.type === COMMAND_TYPE
      ? { ...resource, inputs: moved(resource.inputs), outputs: moved(resource.outputs) }
      : resource;
}
