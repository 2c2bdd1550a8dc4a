import { displayName, StoreContainer } from "./containers";
import { Docker } from "@store/docker/docker";
import { CliError, UsageError } from "@store/docker/cliError";
import { serviceNames, stackNames } from "../project/project";
import { storeCommand } from "../project/storeCommand";
import { Session } from "../project/session";
import { foreignContainersNote, stackInstances } from "./stackContainers";

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
  const all = await stackInstances(session, docker);
  const found = all.filter((container) => name === undefined || displayName(container) === name);
  if (found.length > 0) return found;

  const stack = session.stack.name;
  const present = [...new Set(all.map(displayName))];
  if (all.length === 0) {
    const foreign = await foreignContainersNote(session, docker);
    throw new CliError(`The stack ${stack} has no containers.${foreign && ` ${foreign}`}`, {
      hint: `Start it: ${storeCommand("up", stack)}`,
    });
  }
  const owner = name?.replace(/-database$/, "");
  if (name !== owner && present.some((one) => one === owner)) {
    throw new CliError(
      `${owner} has no database container in the stack ${stack}: it has no database, or one on another server (store:databaseUrl).`,
      { hint: "psql and pg_dump reach that server by its URL: docs/external-database.md." },
    );
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

/**
 * Refuses the name of a stack in place of a service's. Call it before connecting to the stack's host, which may be down.
 *
 * @param command The corrected command, without the stack.
 * @throws UsageError
 */
export function refuseStackName(
  { project, stack }: Session,
  name: string | undefined,
  command: string,
): void {
  if (name === undefined || serviceNames(project.root).includes(name)) return;
  if (!stackNames(project.root).includes(name)) return;
  throw new UsageError(
    `"${name}" is a stack, not a service${name === stack.name ? "" : `, and the stack is ${stack.name}`}.`,
    `Name the stack with -s: ${storeCommand(command, name, "")}`,
  );
}
