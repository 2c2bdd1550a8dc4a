import assert from "node:assert/strict";
import { TestCollector, until, type Span } from "@store/kit/testing";
import { confirmed, World, type Placed } from "./support/world.ts";

describe("the traces of an order", function () {
  this.timeout(90_000);
  let world: World;
  let collector: TestCollector;

  before(async () => {
    collector = await TestCollector.start();
    world = await World.create();
  });
  after(async () => {
    await world.dispose();
    collector.stop();
  });

  const childrenOf = (parent: Span | undefined) =>
    collector.spans.filter(
      ({ traceId, parentSpanId }) => traceId === parent?.traceId && parentSpanId === parent.spanId,
    );
  /** The spans of its steps, in the order in which they began. */
  const stepsOf = ({ requestId }: Placed) =>
    childrenOf(
      collector.spans.find(
        ({ name, attributes }) =>
          name === "POST /api/orders" && attributes["store.request_id"] === requestId,
      ),
    ).filter(({ name }) => name.startsWith("saga "));

  it("contain each step under the request that placed the order, across replicas", async () => {
    const traces = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    await world.startReplicas(1, {
      ...traces,
      SAGA_BACKOFF_MS: "600000",
      SAGA_BACKOFF_MAX_MS: "600000",
    });
    world.onStep("commit", () => ({ status: 503 }));
    const order = await world.place();
    await until("it waits, and is known to", () => stepsOf(order).length === 3);
    await world.killReplicas();
    world.calm();
    await world.startReplicas(1, traces);
    const [other = assert.fail()] = world.replicas;
    await other.fetch(`/api/orders/${order.id}/retry`, {
      method: "POST",
      headers: world.staff.headers,
    });
    await world.reaches(order, confirmed.status);
    await until("all steps are known", () => stepsOf(order).length === 6);
    assert.deepEqual(
      stepsOf(order).map((span) => [span.name, childrenOf(span).map(({ name }) => name)]),
      [
        ["saga reserve", ["PUT inventory"]],
        ["saga authorise", ["PUT billing"]],
        ["saga commit", ["POST inventory"]],
        ["saga commit", ["POST inventory"]],
        ["saga capture", ["POST billing"]],
        ["saga ship", ["PUT shipping"]],
      ],
    );
    const failed = stepsOf(order).filter(({ error }) => error);
    assert.equal(failed.length, 1);
    assert.doesNotMatch(collector.received, /Ada|example\.org|Analytical|tok_ok/);
    assert.ok(!collector.received.includes(order.id), "the id is the key to the order");
    await world.killReplicas();
  });

  it("aren't stored if tracing is off", async () => {
    await world.startReplicas(1);
    const order = await world.place();
    await world.reaches(order, confirmed.status);
    const kept = await world.database.query<{ traceparent: string | null }>(
      "SELECT traceparent FROM orders WHERE id = $1",
      [order.id],
    );
    assert.deepEqual(kept, [{ traceparent: null }]);
  });
});
