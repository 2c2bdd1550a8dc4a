import { startGateway, type TestGateway } from "./gateway.ts";
import { createDatabase, type TestDatabase } from "./postgres.ts";
import { startService, type RunningService } from "./service.ts";
import { createStaff, type TestStaff } from "./staff.ts";

/** The whole store as processes on a real PostgreSQL, behind a test gateway. */
export interface TestStoreProcesses {
  readonly gateway: TestGateway;
  readonly staff: TestStaff;
  readonly services: Readonly<Record<Name, RunningService>>;
  readonly databases: Readonly<Record<Keeper, TestDatabase>>;
  stop(): Promise<void>;
}

type Keeper = "inventory" | "billing" | "shipping" | "orders";
type Name = Keeper | "storefront";

/** @param more further variables of a service's environment, by its name. */
export async function startStore(
  more: Partial<Record<Name, Readonly<Record<string, string>>>> = {},
): Promise<TestStoreProcesses> {
  const staff = createStaff();
  const gateway = await startGateway();
  const running: RunningService[] = [];
  const run = async (name: Name, environment: Readonly<Record<string, string>>) => {
    const service = await startService(name, { ...environment, ...more[name] });
    running.push(service);
    gateway.targets.set(name, service.url);
    return service;
  };
  const keeper = async (name: Keeper, environment: Readonly<Record<string, string>> = {}) => {
    const database = await createDatabase();
    const service = await run(name, {
      ...database.environment,
      ...staff.environment,
      ...environment,
    });
    return { service, database };
  };

  const [inventory, billing, shipping] = await Promise.all([
    keeper("inventory", { DEMO_DATA: "true" }),
    keeper("billing"),
    keeper("shipping"),
  ]);
  const [orders, storefront] = await Promise.all([
    keeper("orders", {
      INVENTORY_URL: inventory.service.url,
      BILLING_URL: billing.service.url,
      SHIPPING_URL: shipping.service.url,
    }),
    run("storefront", { GATEWAY_URL: gateway.url }),
  ]);
  await Promise.all(running.map((service) => service.ready()));

  return {
    gateway,
    staff,
    services: {
      inventory: inventory.service,
      billing: billing.service,
      shipping: shipping.service,
      orders: orders.service,
      storefront,
    },
    databases: {
      inventory: inventory.database,
      billing: billing.database,
      shipping: shipping.database,
      orders: orders.database,
    },
    stop: async () => {
      await Promise.all(running.map((service) => service.stop()));
      await gateway.stop();
    },
  };
}
