import { startGateway, type TestGateway } from "./gateway.ts";
import { createDatabase, type TestDatabase } from "./postgres.ts";
import { startService, type RunningService } from "./service.ts";
import { createStaff, type TestStaff } from "./staff.ts";

/** All services of the store as processes, on a real PostgreSQL and behind a test gateway. */
export interface TestStoreProcesses {
  readonly gateway: TestGateway;
  readonly staff: TestStaff;
  readonly services: Readonly<Record<ServiceName, RunningService>>;
  readonly databases: Readonly<Record<StatefulServiceName, TestDatabase>>;
  stop(): Promise<void>;
}

type StatefulServiceName = "inventory" | "billing" | "shipping" | "orders";
type ServiceName = StatefulServiceName | "storefront";

/**
 * Starts all services with demo data.
 *
 * @param variables Additional environment variables by service.
 */
export async function startStore(
  variables: Partial<Record<ServiceName, Readonly<Record<string, string>>>> = {},
): Promise<TestStoreProcesses> {
  const staff = createStaff();
  const gateway = await startGateway();
  const running: RunningService[] = [];
  const startStateless = async (
    name: ServiceName,
    environment: Readonly<Record<string, string>>,
  ) => {
    const service = await startService(name, { ...environment, ...variables[name] });
    running.push(service);
    gateway.targets.set(name, service.url);
    return service;
  };
  const startStateful = async (
    name: StatefulServiceName,
    environment: Readonly<Record<string, string>> = {},
  ) => {
    const database = await createDatabase();
    const service = await startStateless(name, {
      ...database.environment,
      ...staff.environment,
      ...environment,
    });
    return { service, database };
  };

  const [inventory, billing, shipping] = await Promise.all([
    startStateful("inventory", { DEMO_DATA: "true" }),
    startStateful("billing"),
    startStateful("shipping"),
  ]);
  const [orders, storefront] = await Promise.all([
    startStateful("orders", {
      INVENTORY_URL: inventory.service.url,
      BILLING_URL: billing.service.url,
      SHIPPING_URL: shipping.service.url,
    }),
    startStateless("storefront", { GATEWAY_URL: gateway.url }),
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
