import { Container, run, TestStore } from "../test/integration/support/testStore";

/** Returns the first running container of a service or of the gateway. */
export async function containerOf(store: TestStore, service: string): Promise<Container> {
  const all = await store.containers("status=running");
  const found = all.find((one) => one.service === service && one.role !== "database");
  if (found === undefined) throw new Error(`${service} isn't running`);
  return found;
}

/** Returns the container's IP address on any of its networks; this machine reaches all of them. */
export async function addressOf({ id, name }: Container): Promise<string> {
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
  const [address] = (await docker("inspect", "--format", format, id)).split(" ");
  if (!address) throw new Error(`${name} has no IP address`);
  return address;
}

/** Runs the docker command. @returns its output. @throws an error if it fails. */
export async function docker(...args: string[]): Promise<string> {
  const { code, output } = await run("docker", args);
  if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${output}`);
  return output.trim();
}
