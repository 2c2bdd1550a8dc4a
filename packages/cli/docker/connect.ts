import { Docker } from "./docker";
import { dockerEnvironment, RemoteHost, remoteHost } from "../host/remoteHost";
import { connectLocalDocker, isLocal, Session } from "../project/session";
import { SshAgent } from "../host/sshAgent";

/** Connection to the Docker daemon of a stack's host. */
export interface Connection {
  readonly docker: Docker;
  /** Name or IP address of the host, for published ports. */
  readonly address: string;
  /** Environment in which the docker command uses the same daemon. */
  readonly env: Readonly<Record<string, string>>;
  /** Undefined for a local host. */
  readonly remote?: RemoteHost;
}

/**
 * Connects to Docker on the stack's host. Installs and starts nothing.
 *
 * @throws CliError
 */
export async function connect(session: Session): Promise<Connection> {
  if (isLocal(session)) {
    const docker = await connectLocalDocker(session);
    return { docker, address: "localhost", env: { DOCKER_HOST: docker.host } };
  }
  const remote = await remoteHost(session);
  return {
    docker: new Docker(`ssh://${remote.alias}`, new SshAgent(remote)),
    address: remote.access.address,
    env: dockerEnvironment(remote),
    remote,
  };
}
