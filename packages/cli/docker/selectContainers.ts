import { displayName, listContainers, runnable, StoreContainer } from "./containers";
import { Docker } from "./docker";
import { CliError, UsageError } from "@store/docker/cliError";
import { serviceNames, storeCommand } from "../project/project";
import { Session } from "../project/session";

/**
 * The containers that a name on the command line means: a service, NAME-database or gateway.
 *
 * @param name All containers where it is left out.
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
    throw new CliError(`Nothing of the stack ${stack} runs.`, {
      hint: `Bring it up: ${storeCommand("up", stack)}`,
    });
  }
  if (name !== undefined && serviceNames(session.project.root).includes(name)) {
    throw new CliError(
      `${name} doesn't run in the stack ${stack}. Running: ${present.join(", ")}.`,
      {
        hint: `store:services in its configuration says what runs; ${storeCommand("up", stack)} brings it up.`,
      },
    );
  }
  const known = [...new Set([...present, ...serviceNames(session.project.root)])].sort();
  throw new UsageError(`There is no service "${name}". There are: ${known.join(", ")}.`);
}
