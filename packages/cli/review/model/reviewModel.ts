import * as v from "valibot";
import { count, name, text } from "./fields";

/** Operations on a resource. */
export const OPERATIONS = ["create", "update", "replace", "delete"] as const;

/** A property with a value that is known to be public (publicValues.ts), before and after the step. */
const change = v.strictObject({
  property: name,
  before: v.optional(name),
  after: v.optional(name),
});

const step = v.strictObject({
  operation: v.picklist(OPERATIONS),
  /** Pulumi type, for example "docker:index/container:Container". */
  type: name,
  name,
  /** Names of the properties that change. Empty for created and deleted resources. */
  properties: v.array(name),
  /** Paths of the properties for which a resource in the cloud is replaced. */
  causes: v.optional(v.array(name)),
  /** Public values that change. */
  changes: v.array(change),
  /** Service to which the resource belongs. */
  service: v.optional(name),
  protected: v.optional(v.boolean()),
  /** The same step is due without this request. */
  inherited: v.optional(v.boolean()),
});

/** Effect of a change on a service's users. */
const notice = v.strictObject({
  kind: v.picklist(["nothing", "stopped", "new", "gone", "vm", "unknown"]),
  /** Longest expected interruption. */
  seconds: v.optional(count),
  /** Reason of the interruption. */
  reason: v.optional(name),
});

const file = v.strictObject({ path: name, change: v.picklist(["added", "changed", "deleted"]) });

const service = v.strictObject({
  name,
  change: v.picklist([
    ...(["new", "removed", "replaced", "restarted", "scaled"] as const),
    ...(["changed", "unchanged"] as const),
  ]),
  /** Content tags of the image. */
  tag: v.optional(v.strictObject({ before: v.optional(name), after: v.optional(name) })),
  instances: v.optional(v.strictObject({ before: count, after: count })),
  /** Names of the properties that cause the change, and of environment variables. */
  properties: v.array(name),
  /** Files that differ between base and head. Undefined without a base. */
  files: v.optional(v.array(file)),
  notice,
});

const danger = v.strictObject({
  kind: v.picklist(["data", "exposure", "vm"]),
  operation: v.picklist(OPERATIONS),
  type: name,
  name,
  protected: v.optional(v.boolean()),
  service: v.optional(name),
  /** Opened port, for example "port 22". Only for an exposure, with the addresses or ports before and after. */
  detail: v.optional(name),
  before: v.optional(name),
  after: v.optional(name),
  /** The base has the same danger. */
  inherited: v.optional(v.boolean()),
});

const migration = v.strictObject({
  service: name,
  file: name,
  /** Effect on the release before, which runs beside the new one and after a rollback. */
  compatible: v.picklist(["yes", "no", "unknown"]),
  /** Effects of the statements, for example "adds the column shelf". */
  effects: v.array(name),
});

const policyViolation = v.strictObject({
  policy: name,
  mandatory: v.boolean(),
  resource: v.optional(name),
  message: text(2000),
});

const cost = v.strictObject({
  currency: v.pipe(v.string(), v.regex(/^[A-Z]{3}$/)),
  before: v.optional(v.number()),
  after: v.number(),
  /** Date of the price list. */
  prices: name,
  /** Number of resources without a price. */
  unpriced: count,
});

/** The checkout's images, by service. A review of another checkout is compared with it. */
const checkout = v.strictObject({
  services: v.array(
    v.strictObject({
      name,
      tag: name,
      routes: v.array(name),
      /** Files of the image by path, with the start of their hashes. */
      files: v.record(name, v.pipe(v.string(), v.regex(/^[0-9a-z-]{1,16}$/))),
    }),
  ),
});

/** Facts of a review, without any value that may be secret. The texts are made from it alone. */
export const reviewModel = v.strictObject({
  stack: name,
  /** "checkout" if only the checkouts were compared, without the stack's state. */
  scope: v.picklist(["stack", "checkout"]),
  /** The stack has no resources yet. */
  first: v.boolean(),
  /** The preview failed. */
  refusal: v.optional(
    v.strictObject({
      summary: text(4000),
      details: v.array(text(1000)),
      hint: v.optional(text(2000)),
    }),
  ),
  /** A base was given, so inherited steps are known. */
  compared: v.boolean(),
  steps: v.array(step),
  unchangedResources: count,
  services: v.array(service),
  dangers: v.array(danger),
  migrations: v.array(migration),
  policies: v.strictObject({
    /** 1 if policies were applied, 0 if not. */
    packs: count,
    violations: v.array(policyViolation),
  }),
  cost: v.optional(cost),
  checkout,
});

export type Review = v.InferOutput<typeof reviewModel>;
export type Step = Review["steps"][number];
export type Change = Step["changes"][number];
export type ServiceReview = Review["services"][number];
export type Danger = Review["dangers"][number];
export type Migration = Review["migrations"][number];
export type Notice = ServiceReview["notice"];
export type Checkout = Review["checkout"];
export type CheckoutService = Checkout["services"][number];
