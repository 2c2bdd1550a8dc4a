import assert from "node:assert/strict";
import { readConfig } from "../../../config/config";
import { unreachableAddresses } from "../../../config/warnings/unreachableAddresses";
import type { ServiceSpec } from "../../../services/spec";
import { resetConfig, setConfig } from "./stackConfig";

const specs = new Map<string, ServiceSpec>([
  ["billing", { port: 3000, egress: true }],
  ["orders", { port: 3000 }],
  ["shipping", { port: 3000 }],
]);
const enabledServices = [...specs.keys()];

/** Keys of the warnings. */
function keys(values: Partial<Parameters<typeof unreachableAddresses>[0]>): string[] {
  const all = { otlpEndpoint: "", environment: {}, secrets: {}, databaseUrl: {}, ...values };
  const warnings = unreachableAddresses(all, { enabledServices, specs });
  return warnings.map((warning) => /^store:(.*?): /.exec(warning)?.[1] ?? warning);
}

describe("addresses that services can't reach", () => {
  after(resetConfig);

  it("shows the services without egress that don't reach the OTLP endpoint", () => {
    setConfig({ otlpEndpoint: "http://collector.example:4318" });
    const { warnings } = readConfig(specs);
    assert.equal(warnings.length, 1);
    assert.match(
      warnings.join(),
      /^store:otlpEndpoint: services without egress \(orders, shipping\) reach it only if a container /,
    );
  });

  it("accepts the name of a container, as the examples have it", () => {
    assert.deepEqual(keys({ otlpEndpoint: "http://collector:4318" }), []);
    assert.deepEqual(keys({ environment: { orders: { HTTP_PROXY: "http://proxy:3128" } } }), []);
  });

  for (const endpoint of ["http://10.0.0.5:4318", "http://[fd00::5]:4318", "http://localhost:4318"])
    it(`warns of ${endpoint}`, () => {
      assert.deepEqual(keys({ otlpEndpoint: endpoint }), ["otlpEndpoint"]);
    });

  it("accepts any address for a service whose database is elsewhere, which has a way there", () => {
    const environment = { orders: { HTTPS_PROXY: "http://10.0.0.5:3128" } };
    assert.deepEqual(keys({ environment }), ["environment.orders.HTTPS_PROXY"]);
    assert.deepEqual(keys({ environment, databaseUrl: { orders: "postgres://db/orders" } }), []);
  });

  it("warns of a service's own container also if the service has egress", () => {
    const environment = { billing: { HTTPS_PROXY: "http://127.0.0.1:3128" } };
    assert.deepEqual(keys({ environment }), ["environment.billing.HTTPS_PROXY"]);
  });

  it("judges variables and secrets whose value is a server's address, and no links", () => {
    const server = {
      https_proxy: "http://proxy.example:3128",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://collector.example",
      MAIL: "smtps://user:password@mail.example:465",
      PUBLIC_ADDRESS: "https://shop.example",
      GREETING: "Hello: you",
      NO_PROXY: "shop.example",
    };
    const names = ["https_proxy", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "MAIL"];
    assert.deepEqual(
      keys({ environment: { orders: server, billing: server } }),
      names.map((name) => `environment.orders.${name}`),
    );
    assert.deepEqual(
      keys({ secrets: { orders: server } }),
      names.map((name) => `secrets.orders.${name}`),
    );
  });

  it("never shows a value, which may have a password", () => {
    const secrets = { orders: { REDIS: "redis://:s3cret@cache.example" } };
    const warnings = unreachableAddresses(
      { otlpEndpoint: "", environment: {}, secrets, databaseUrl: {} },
      { enabledServices, specs },
    );
    assert.match(warnings.join(), /^store:secrets\.orders\.REDIS: (?!.*s3cret).*egress: true/);
  });
});
