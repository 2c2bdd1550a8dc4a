import { Container, run, TestStore } from "../test/integration/testStore";

/** The running container of the gateway or of a service; its first, where there are several. */
export async function containerOf(store: TestStore, service: string): Promise<Container> {
  const all = await store.containers("status=running");
  const found = all.find((one) => one.service === service && one.role !== "database");
  if (found === undefined) throw new Error(`${service} doesn't run`);
  return found;
}

/** On any of its networks: this machine is on all of them. */
export async function addressOf({ id, name }: Container): Promise<string> {
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
  const [address] = (await docker("inspect", "--format", format, id)).split(" ");
  if (!address) throw new Error(`${name} has no address`);
  return address;
}

/** @returns what it prints. */
export async function docker(...args: string[]): Promise<string> {
  const { code, output } = await run("docker", args);
  if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${output}`);
  return output.trim();
}
