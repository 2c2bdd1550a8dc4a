import { ArmError, badRequest } from "./armError";
import type { MachineFailure } from "./state/machineFailure";
import { Properties, textAt, Value } from "./values";

/** An emulated resource. */
export interface Resource {
  readonly id: string;
  /** Pulumi type token, for example azure-native:network:Subnet. */
  readonly token: string;
  readonly name: string;
  /** Inputs of the request. */
  readonly properties: Properties;
  /** Properties that the cloud adds to the inputs. */
  readonly computed: Properties;
  /** State of a VM. @default running */
  readonly powerState?: "running" | "deallocated";
  /** Cause of a VM's provisioning state Failed. */
  readonly failure?: MachineFailure;
}

/** Read access to the cloud for a resource type's rules. */
export interface View {
  readonly subscription: string;
  readonly limits: Limits;
  /** IP:PORT at which all emulated Azure registries are served. */
  readonly registryAddress: string;
  get(id: string): Resource | undefined;
  all(token: string): readonly Resource[];
  /** Returns the ID of the VM for which Azure keeps a network interface after a failed creation. */
  reservedFor(interfaceId: string): string | undefined;
}

/** The subscription's limits in the region. */
export interface Limits {
  /** Quota of cores of each VM family. */
  readonly cores: number;
  /** Quota of cores of all VMs. */
  readonly regionalCores: number;
  /** The region has no capacity for a new VM. */
  readonly soldOut: boolean;
  /** The subscription has the feature EncryptionAtHost. */
  readonly encryptsAtHost: boolean;
  /** Each network interface is reserved for another VM. */
  readonly interfacesReserved: boolean;
}

/** A request that creates or updates a resource. */
export interface Put {
  readonly properties: Properties;
  readonly id: string;
  readonly name: string;
  /** The existing resource with this ID. */
  readonly before: Resource | undefined;
  readonly cloud: View;
}

/** An emulated resource type. It implements what this repository uses of the type. */
export interface ResourceType {
  readonly token: string;
  /** For example Microsoft.Network/virtualNetworks/subnets. A part in braces is the value of that property. */
  readonly armType: string;
  /**
   * Properties that make up the resource's ID, outermost first: the group, resources that contain it, and the resource's own name. A
   * resource that extends any other has the two properties "scope", the ID of the other one, and its name.
   */
  readonly path: readonly string[];
  /** The resource has a location. */
  readonly located: boolean;
  /** Properties, beside path and location, whose change the published provider plans as a replacement. */
  readonly replacedOn?: readonly string[];
  /** Properties that ARM refuses to change with status 409. */
  readonly immutable: readonly string[];
  /** Paths of enums for which Azure accepts more values than the npm package lists. */
  readonly openWords?: readonly string[];
  readonly nameRule: RegExp;
  /** Typical duration of each request in Azure, in seconds. */
  readonly seconds: { readonly create: number; readonly update: number; readonly remove: number };
  /** Validates a request. @throws ArmError */
  readonly validate: (put: Put) => void;
  /** Validates a deletion. @throws ArmError */
  readonly validateRemoval: (resource: Resource, cloud: View) => void;
  /** Returns the properties that the cloud adds. */
  readonly compute: (put: Put) => Properties;
  /** Returns the values that Azure reports for omitted inputs. @default none */
  readonly defaults?: (resource: Resource, cloud: View) => Properties;
  /** Returns the read-only properties that depend on other resources. @default none */
  readonly related?: (resource: Resource, cloud: View) => Properties;
  /** Returns the paths of inputs that Azure doesn't report. @default none */
  readonly hidden?: (resource: Resource) => readonly string[];
  /** Inputs that are resources of their own: the provider doesn't copy them into the inputs unless they were set. @default none */
  readonly subResources?: readonly string[];
}

/** Rule for names of most network resources. */
export const ANY_NAME = /^[A-Za-z0-9]([\w.-]{0,78}\w)?$/;

/** Property with the ID of the resource that another one extends. */
export const SCOPE = "scope";

/** Returns the ARM ID of the resource with these properties. */
export function idOf(type: ResourceType, subscription: string, properties: Properties): string {
  const [outermost = "", ...names] = type.path.map((name) => textAt(properties, name));
  const base =
    type.path[0] === SCOPE
      ? outermost
      : `/subscriptions/${subscription}/resourceGroups/${outermost}`;
  const [namespace = "", ...kinds] = type.armType.split("/");
  if (type.path.length === 1) return base;
  const named = (kind: string): string =>
    kind.replace(/^\{(\w+)\}$/, (_, name: string) => textAt(properties, name));
  const rest = kinds.map((kind, i) => `${named(kind)}/${names[i] ?? ""}`).join("/");
  return `${base}/providers/${namespace}/${rest}`;
}

/** Compares two ARM IDs, which are case-insensitive. */
export function sameId(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Returns whether an ID is that of the outer resource, or of a resource in it. */
export function isWithin(id: string, outer: string): boolean {
  return `${id}/`.toLowerCase().startsWith(`${outer}/`.toLowerCase());
}

/** Returns the resource with this ID. @throws ArmError if there is none of that type. */
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

/** Returns the existing resource's computed property, or a new value for a new resource. */
export function computedOnce(put: Put, name: string, make: () => Value): Value {
  return put.before?.computed[name] ?? make();
}

/** Validates nothing: the resource may be deleted at any time. */
export const alwaysRemovable = (): void => undefined;
