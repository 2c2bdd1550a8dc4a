import type { Checkout, CheckoutService, ServiceReview, Step } from "../model/reviewModel";
import { changedFiles } from "../checkout/compareCheckouts";
import { DURATIONS } from "./durations";
import { GATEWAY } from "./serviceNames";
import { CONTAINER_TYPE, SERVICE_TYPE } from "../../state/resourceTypes";

/** A step with what the texts of the services need besides. */
export interface ServiceStep extends Step {
  readonly deletedFirst: boolean;
}

interface ServiceFacts {
  readonly steps: readonly ServiceStep[];
  /** Resources that don't change. */
  readonly unchanged: readonly Pick<Step, "type" | "name">[];
  readonly head: Checkout;
  readonly base?: Checkout;
  readonly vmReplaced: boolean;
}

/** Returns the changes of one service, or of the gateway. */
export function reviewService(service: string, facts: ServiceFacts): ServiceReview {
  const steps = facts.steps.filter((step) => step.service === service && !step.inherited);
  const instances = countInstances(service, facts);
  const tag = imageTags(service, facts);
  const files =
    facts.base && changedFiles(findService(facts.head, service), findService(facts.base, service));
  const change = changeOf(service, steps, { instances, tag });
  return {
    name: service,
    change,
    ...(tag && { tag }),
    ...(instances && { instances }),
    properties: causes(service, steps),
    ...(files && { files }),
    notice: noticeOf(change, steps, facts.vmReplaced),
  };
}

/** Returns the changes of a service by the checkouts alone. */
export function compareService(service: string, head: Checkout, base: Checkout): ServiceReview {
  const [after, before] = [findService(head, service), findService(base, service)];
  const tag = tagsOf(before?.tag, after?.tag);
  const files = changedFiles(after, before);
  const sameRoutes = JSON.stringify(after?.routes) === JSON.stringify(before?.routes);
  const change =
    before === undefined
      ? "new"
      : after === undefined
        ? "removed"
        : before.tag !== after.tag
          ? "replaced"
          : sameRoutes
            ? "unchanged"
            : "changed";
  return {
    name: service,
    change,
    ...(tag && { tag }),
    properties: sameRoutes || change !== "changed" ? [] : ["routes"],
    files,
    notice: { kind: NOTICE_OF_CHECKOUT[change] },
  };
}

const NOTICE_OF_CHECKOUT = {
  new: "new",
  removed: "gone",
  replaced: "nothing",
  changed: "nothing",
  unchanged: "nothing",
} as const;

function findService(checkout: Checkout, service: string): CheckoutService | undefined {
  return checkout.services.find(({ name }) => name === service);
}

type Instances = NonNullable<ServiceReview["instances"]>;

/** Counts the containers of a service before and after; undefined if there are none. A Swarm service counts as one. */
function countInstances(
  service: string,
  { steps, unchanged }: ServiceFacts,
): Instances | undefined {
  const isInstance = instanceOf(service);
  const same = unchanged.filter(isInstance).length;
  const own = steps.filter(isInstance);
  const count = (...operations: readonly Step["operation"][]): number =>
    own.filter(({ operation }) => operations.includes(operation)).length;
  const before = same + count("update", "replace", "delete");
  const after = same + count("update", "replace", "create");
  return before + after === 0 ? undefined : { before, after };
}

/** Containers and Swarm services are named as in components/service.ts and components/gateway/gateway.ts. */
function instanceOf(service: string): (resource: Pick<Step, "type" | "name">) => boolean {
  return ({ type, name }) =>
    (type === SERVICE_TYPE && name === service) ||
    (type === CONTAINER_TYPE &&
      (service === GATEWAY
        ? name === GATEWAY
        : name.startsWith(service) && /^-\d+$/.test(name.slice(service.length))));
}

/** Finds the content tags in the names of the images, which are named as in components/image/image.ts. */
function imageTags(
  service: string,
  { steps, unchanged, head, base }: ServiceFacts,
): ServiceReview["tag"] {
  const prefix = `${service}-image:`;
  const tagOf = (name: string | undefined): string | undefined => name?.slice(prefix.length);
  const images = steps.filter(({ name }) => name.startsWith(prefix));
  const same = unchanged.find(({ name }) => name.startsWith(prefix))?.name;
  const created = images.find(({ operation }) => operation !== "delete");
  const deleted = images.find(({ operation }) => operation === "delete");
  return tagsOf(
    tagOf(deleted?.name ?? same) ?? (base && findService(base, service)?.tag),
    tagOf(created?.name ?? same) ?? findService(head, service)?.tag,
  );
}

function tagsOf(before: string | undefined, after: string | undefined): ServiceReview["tag"] {
  if (before === undefined && after === undefined) return undefined;
  return { ...(before !== undefined && { before }), ...(after !== undefined && { after }) };
}

function changeOf(
  service: string,
  steps: readonly Step[],
  { instances, tag }: Pick<ServiceReview, "instances" | "tag">,
): ServiceReview["change"] {
  if (steps.length === 0) return "unchanged";
  if (instances && instances.before === 0) return "new";
  if (instances && instances.after === 0) return "removed";
  const isInstance = instanceOf(service);
  const replaced = steps.filter((step) => isInstance(step) && step.operation === "replace");
  if (replaced.length > 0) {
    const isNewImage = ({ type, properties }: Step): boolean =>
      // The properties of a Swarm service don't tell its image from the rest.
      type === SERVICE_TYPE ? tag?.before !== tag?.after : properties.includes("image");
    return replaced.some(isNewImage) ? "replaced" : "restarted";
  }
  return instances && instances.before !== instances.after ? "scaled" : "changed";
}

/**
 * Names of the properties of containers that change, except the image, which the content tags show. "database" if the service changes to a
 * database on another server (store:databaseUrl), or back.
 */
function causes(service: string, steps: readonly Step[]): string[] {
  const hasOtherDatabase = steps.some(
    ({ name, operation }) =>
      name === `${service}-database-check` && ["create", "delete"].includes(operation),
  );
  const names = steps
    .filter(({ type }) => type === CONTAINER_TYPE || type === SERVICE_TYPE)
    .flatMap(({ properties }) => properties)
    .filter((property) => !["image", "envs", "taskSpec"].includes(property));
  return [...new Set([...names, ...(hasOtherDatabase ? ["database"] : [])])].sort();
}

function noticeOf(
  change: ServiceReview["change"],
  steps: readonly ServiceStep[],
  vmReplaced: boolean,
): ServiceReview["notice"] {
  if (change === "unchanged") return { kind: "nothing" };
  if (change === "new") return { kind: "new" };
  if (change === "removed") return { kind: "gone" };
  if (vmReplaced) return { kind: "vm", seconds: DURATIONS.virtualMachine };
  const stopped = steps.find(
    ({ type, operation, deletedFirst }) =>
      type === CONTAINER_TYPE && operation === "replace" && deletedFirst,
  );
  if (stopped === undefined) return { kind: "nothing" };
  const kind =
    stopped.name === GATEWAY
      ? "gateway"
      : stopped.name.endsWith("-database")
        ? "database"
        : "service";
  return { kind: "stopped", seconds: DURATIONS[kind], reason: REASONS[kind] };
}

const REASONS = {
  gateway: "only one container can have the host's port",
  database: "only one database server can use the data",
  service: "the old instance is deleted before the new one starts",
} as const;
