import assert from "node:assert/strict";
import type { Checkout, ServiceReview } from "@store/cli/review/model/reviewModel";
import { previewEvents, reviewOf, summaryOf, type TestStep } from "./reviews";

const CONTAINER = "docker:index/container:Container";
const SWARM_SERVICE = "docker:index/service:Service";
const IMAGE = "docker:index/remoteImage:RemoteImage";
const MACHINE = "azure-native:compute:VirtualMachine";

const HEAD: Checkout = {
  services: [
    { name: "orders", tag: "b", routes: ["/api/orders"], files: { "services/orders/a.ts": "2" } },
    { name: "billing", tag: "c", routes: [], files: {} },
  ],
};
const SAME: TestStep = { op: "same", type: CONTAINER, name: "billing-0" };

/** Events of a replacement in the engine's order. */
function replacement(name: string, deletedFirst: boolean, diff: readonly string[]): TestStep[] {
  const step = { type: CONTAINER, name, before: {}, after: {}, diff };
  const parts = ["create-replacement", "replace", "delete-replaced"];
  return (deletedFirst ? parts.reverse() : parts).map((op) => ({ ...step, op }));
}

function serviceOf(name: string, ...steps: readonly TestStep[]): ServiceReview | undefined {
  const review = reviewOf({ events: previewEvents(SAME, ...steps), head: HEAD });
  return review.services.find((service) => service.name === name);
}

describe("changes of a service", () => {
  it("are not noticed where new instances start beside the old ones", () => {
    const service = serviceOf(
      "orders",
      { op: "create", type: IMAGE, name: "orders-image:b", after: {} },
      ...replacement("orders-0", false, ["image"]),
      ...replacement("orders-1", false, ["image"]),
      { op: "delete", type: IMAGE, name: "orders-image:a", before: {} },
    );
    assert.deepEqual(service, {
      ...{ name: "orders", change: "replaced", properties: [], notice: { kind: "nothing" } },
      tag: { before: "a", after: "b" },
      instances: { before: 2, after: 2 },
    });
  });

  it("are not noticed where a new Swarm service starts beside the old one", () => {
    const swarm = { type: SWARM_SERVICE, name: "orders", before: {}, after: {} };
    const parts = ["create-replacement", "replace", "delete-replaced"];
    const replaced = parts.map((op) => ({ ...swarm, op, diff: ["taskSpec"] }));
    const service = serviceOf(
      "orders",
      { op: "create", type: IMAGE, name: "orders-image:b", after: {} },
      ...replaced,
      { op: "delete", type: IMAGE, name: "orders-image:a", before: {} },
    );
    assert.equal(service?.change, "replaced");
    assert.deepEqual(service.notice, { kind: "nothing" });
    const sameImage = { op: "same", type: IMAGE, name: "orders-image:b" };
    assert.equal(serviceOf("orders", sameImage, ...replaced)?.change, "restarted");
  });

  it("include a Swarm service that only the state has", () => {
    const parents = "store:index:Store$store:index:Service";
    const gone = { op: "delete", type: SWARM_SERVICE, name: "vouchers", parents, before: {} };
    assert.equal(serviceOf("vouchers", gone)?.change, "removed");
  });

  it("stop it where its database is replaced, with the reason", () => {
    const service = serviceOf("orders", ...replacement("orders-database", true, ["memory"]));
    assert.equal(service?.change, "changed");
    assert.equal(service.notice.kind, "stopped");
    assert.match(service.notice.reason ?? "", /database server/);
  });

  it("name the database as a cause where it moves to another server, or back", () => {
    const check = { type: "command:local:Command", name: "orders-database-check" };
    const causes = (...steps: readonly TestStep[]): readonly string[] | undefined =>
      serviceOf("orders", ...replacement("orders-0", false, ["envs"]), ...steps)?.properties;
    assert.deepEqual(causes({ ...check, op: "create", after: {} }), ["database"]);
    assert.deepEqual(causes({ ...check, op: "delete", before: {} }), ["database"]);
    assert.deepEqual(
      causes({ ...check, op: "update", before: {}, after: {}, diff: ["stdin"] }),
      [],
    );
  });

  it("stop the store where the gateway is replaced", () => {
    const notice = serviceOf("gateway", ...replacement("gateway", true, ["ports"]))?.notice;
    assert.match(notice?.reason ?? "", /the host's port/);
  });

  it("take as long as the virtual machine's replacement", () => {
    const service = serviceOf(
      "orders",
      { op: "replace", type: MACHINE, name: "host", before: {}, after: {} },
      ...replacement("orders-0", false, ["image"]),
    );
    assert.equal(service?.notice.kind, "vm");
  });

  for (const [change, steps] of [
    ["new", [{ op: "create", type: CONTAINER, name: "orders-0", after: {} }]],
    ["removed", [{ op: "delete", type: CONTAINER, name: "orders-0", before: {} }]],
    [
      "scaled",
      [
        { op: "same", type: CONTAINER, name: "orders-0" },
        { op: "create", type: CONTAINER, name: "orders-1", after: {} },
      ],
    ],
    ["restarted", replacement("orders-0", false, ["memory"])],
    ["changed", [{ op: "replace", type: "command:local:Command", name: "orders-secrets" }]],
    ["unchanged", [{ op: "create", type: CONTAINER, name: "ordersarchive-0", after: {} }]],
  ] as const) {
    it(`are "${change}"`, () => {
      assert.equal(serviceOf("orders", ...steps)?.change, change);
    });
  }

  it("are explained by the files that differ from the base", () => {
    const files = { "services/orders/a.ts": "1", "services/orders/old.ts": "1" };
    const [orders, billing] = HEAD.services;
    const base = reviewOf({
      head: {
        services: [{ ...orders, files }, billing].flatMap((one) => (one ? [one as never] : [])),
      },
    });
    const events = previewEvents(SAME, ...replacement("orders-0", false, ["image"]));
    assert.match(
      summaryOf({ events, head: HEAD, base }).markdown,
      /2 files: `services\/orders\/a\.ts`, `services\/orders\/old\.ts` \(deleted\)/,
    );
  });
});
