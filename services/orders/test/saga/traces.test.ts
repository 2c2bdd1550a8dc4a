import assert from "node:assert/strict";
import { until, TestCollector, type Span } from "@store/kit/testing";
import type { BackEnd, PlacedOrder } from "../support/backEnd.ts";
import { confirmed } from "../support/outcomes.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("the traces of an order", () => {
  let backEnd: BackEnd;
  let collector: TestCollector;

  before(async () => {
    collector = await TestCollector.start();
    backEnd = await sharedBackEnd();
    await backEnd.killReplicas();
  });
  afterEach(() => backEnd.resetFaults());
  after(async () => {
    await backEnd.killReplicas();
    collector.stop();
  });

  const childrenOf = (parent: Span | undefined) =>
    collector.spans.filter(
      ({ traceId, parentSpanId }) => traceId === parent?.traceId && parentSpanId === parent.spanId,
    );
  /** Returns the spans of an order's steps, in the order in which they began. */
  const stepsOf = ({ requestId }: PlacedOrder) =>
    childrenOf(
      collector.spans.find(
        ({ name, attributes }) =>
          name === "POST /api/orders" && attributes["store.request_id"] === requestId,
      ),
    ).filter(({ name }) => name.startsWith("saga "));

  it("contain each step under the request that placed the order, across replicas", async () => {
    const traces = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    await backEnd.startReplicas(1, {
      ...traces,
      SAGA_BACKOFF_MS: "600000",
      SAGA_BACKOFF_MAX_MS: "600000",
    });
    backEnd.onStep("commit", () => ({ status: 503 }));
    const order = await backEnd.place();
    await until("the spans of four steps are exported", () => stepsOf(order).length === 4);
    await backEnd.killReplicas();
    backEnd.resetFaults();
    await backEnd.startReplicas(1, traces);
    await backEnd.retry(order.id);
    await backEnd.waitForStatus(order, confirmed.status);
    await until("the spans of all steps are exported", () => stepsOf(order).length === 7);
    assert.deepEqual(
      stepsOf(order).map((span) => [span.name, childrenOf(span).map(({ name }) => name)]),
      [
        ["saga validate", ["POST billing"]],
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
    assert.ok(!collector.received.includes(order.id), "the ID grants access to the order");
    await backEnd.killReplicas();
  });

  it("aren't stored if tracing is off", async () => {
    await backEnd.startReplicas(1);
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, confirmed.status);
    const stored = await backEnd.database.query<{ traceparent: string | null }>(
      "SELECT traceparent FROM orders WHERE id = $1",
      [order.id],
    );
    assert.deepEqual(stored, [{ traceparent: null }]);
  });
});
