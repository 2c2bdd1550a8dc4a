import { displayName, listContainers, runnable, StoreContainer } from "./containers";
import { Docker } from "./docker";
import { CliError, UsageError } from "@store/docker/cliError";
import { serviceNames, storeCommand } from "../project/project";
import { Session } from "../project/session";

/**
 * Selects containers by a name from the command line: a service, SERVICE-database or gateway.
 *
 * @param name @default all containers
 * @throws CliError if none is running; UsageError if there is no such service
 */
export async function selectContainers(
  session: Session,
  docker: Docker,
  name: string | undefined,
): Promise<StoreContainer[]> {
  const all = runnable(await listContainers(docker, session.project.name, session.stack.name));
  const found = all.filter((container) => name === undefined || displayName(container) === name);
  if (found.length > 0) return found;

  const stack = session.stack.name;
  const present = [...new Set(all.map(displayName))];
  if (all.length === 0) {
    throw new CliError(`The stack ${stack} has no containers.`, {
      hint: `Start it: ${storeCommand("up", stack)}`,
    });
  }
  if (name !== undefined && serviceNames(session.project.root).includes(name)) {
    throw new CliError(
      `${name} is not running in the stack ${stack}. Running: ${present.join(", ")}.`,
      {
        hint: `Add it to store:services in the stack's configuration if it is missing, then: ${storeCommand("up", stack)}`,
      },
    );
  }
  const known = [...new Set([...present, ...serviceNames(session.project.root)])].sort();
  throw new UsageError(`Unknown service "${name}". Services: ${known.join(", ")}.`);
}
