import { Docker } from "@store/docker/docker";
import { dockerEnvironment } from "@store/docker/environment";
import { RemoteHost, remoteEnvironment, remoteHost, sshArguments } from "../host/remoteHost";
import { hostDiagnosis } from "../host/stoppedVm";
import { connectLocalDocker, isLocal, Session } from "../project/session";
import { checkStackDaemon } from "./stackDaemonCheck";
import { SshAgent } from "@store/docker/sshAgent";

/** Connection to the Docker daemon of a stack's host. */
export interface Connection {
  readonly docker: Docker;
  /** Name or IP address of the host, for published ports. */
  readonly address: string;
  /** Environment in which the docker command uses the same daemon. */
  readonly env: NodeJS.ProcessEnv;
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
    await checkStackDaemon(session, docker);
    return { docker, address: "localhost", env: dockerEnvironment(docker.endpoint) };
  }
  const remote = await remoteHost(session);
  const agent = new SshAgent({ args: sshArguments(remote) });
  return {
    docker: new Docker({ host: `ssh://${remote.alias}` }, agent, hostDiagnosis(session)),
    address: remote.access.address,
    env: remoteEnvironment(remote),
    remote,
  };
}
