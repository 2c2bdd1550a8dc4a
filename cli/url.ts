import { StoreContainer } from "./containers";

/** Where the store answers: the gateway's port of the host, as Docker has it; undefined while there is no gateway. */
export function storeUrl(containers: readonly StoreContainer[]): string | undefined {
  const gateway = containers.find(({ role, state }) => role === "gateway" && state === "running");
  const port = gateway?.ports[0]?.port;
  return port === undefined ? undefined : `http://localhost${port === 80 ? "" : `:${port}`}`;
}
