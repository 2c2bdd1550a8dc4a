import { ArmError, badRequest } from "./armError";
import { Properties, textAt, Value } from "./values";

/** A resource as the stand-in cloud keeps it. */
export interface Resource {
  readonly id: string;
  /** The Pulumi type, azure-native:network:Subnet. */
  readonly token: string;
  readonly name: string;
  /** What was asked for. */
  readonly properties: Properties;
  /** What the cloud added. */
  readonly computed: Properties;
}

/** What a rule may look at. */
export interface View {
  readonly subscription: string;
  readonly limits: Limits;
  /** At which registries in Azure answer. */
  readonly registryAddress: string;
  get(id: string): Resource | undefined;
  all(token: string): readonly Resource[];
}

export interface Limits {
  /** Cores of each family of sizes in a region. */
  readonly cores: number;
  /** The region has no machine left, of whatever size. */
  readonly soldOut: boolean;
}

export interface Put {
  readonly properties: Properties;
  readonly id: string;
  readonly name: string;
  /** What there is under this id already. */
  readonly before: Resource | undefined;
  readonly cloud: View;
}

/** One of Azure's resource types, as far as our program uses it. */
export interface ResourceType {
  readonly token: string;
  /** Microsoft.Network/virtualNetworks/subnets */
  readonly armType: string;
  /** The properties that name the resource's place, outermost first; the last one is its own name. */
  readonly path: readonly string[];
  /** Whether it is in a region. */
  readonly located: boolean;
  /** Properties whose change the published provider answers with a replacement, beside the path and the location. */
  readonly replacedOn?: readonly string[];
  /** Properties that ARM doesn't change: an update of them is a 409. */
  readonly immutable: readonly string[];
  /** Paths of enums that are open. */
  readonly openWords?: readonly string[];
  readonly nameRule: RegExp;
  /** What Azure takes for it, in seconds. */
  readonly seconds: { readonly create: number; readonly update: number; readonly remove: number };
  /** Throws what ARM would refuse. */
  readonly validate: (put: Put) => void;
  /** Throws why it can't be deleted now. */
  readonly validateRemoval: (resource: Resource, cloud: View) => void;
  /** What the cloud adds; on an update it is given what there was. */
  readonly compute: (put: Put) => Properties;
}

export const ANY_NAME = /^[A-Za-z0-9]([\w.-]{0,78}\w)?$/;

export function idOf(type: ResourceType, subscription: string, properties: Properties): string {
  const [group = "", ...names] = type.path.map((name) => textAt(properties, name));
  const base = `/subscriptions/${subscription}/resourceGroups/${group}`;
  const [namespace = "", ...kinds] = type.armType.split("/");
  if (type.path.length === 1) return base;
  const rest = kinds.map((kind, i) => `${kind}/${names[i] ?? ""}`).join("/");
  return `${base}/providers/${namespace}/${rest}`;
}

/** Azure's ids don't regard case. */
export function sameId(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** The resource that an id in a property names, of that type. */
export function referenced(put: Put, path: string, id: string, token: string): Resource {
  const found = put.cloud.get(id);
  if (found?.token === token) return found;
  throw badRequest(
    "InvalidResourceReference",
    `Resource ${id} referenced by resource ${put.id} (${path}) was not found. Please make sure that the referenced ` +
      `resource exists, and that both resources are in the same region.`,
  );
}

export function invalid(path: string, reason: string): ArmError {
  return badRequest("InvalidParameter", `${path}: ${reason}`);
}

export function etag(): string {
  return `W/"${crypto.randomUUID()}"`;
}

/** Keeps what was computed before, or makes it. */
export function computedOnce(put: Put, name: string, make: () => Value): Value {
  return put.before?.computed[name] ?? make();
}

export const alwaysRemovable = (): void => undefined;
