import { Docker } from "./docker";
import { dockerEnvironment, RemoteHost, remoteHost } from "../host/remoteHost";
import { connectLocalDocker, isLocal, Session } from "../project/session";
import { SshAgent } from "../host/sshAgent";

/** The Docker daemon that a stack's containers are on, wherever that is. Nothing is set up. */
export interface Connection {
  readonly docker: Docker;
  /** Name or address at which published ports are reached. */
  readonly address: string;
  /** For the docker command, so that it talks to the same daemon. */
  readonly env: Readonly<Record<string, string>>;
  readonly remote?: RemoteHost;
}

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
