/** A resource as the program registers it, before the engine changes anything. */
export interface PlannedResource {
  /** For example "docker:index/container:Container". */
  readonly type: string;
  /** Contains the types of the parent components. */
  readonly urn: string;
  readonly inputs: Inputs;
  /** Names of the inputs that contain a secret, at any depth. */
  readonly secretInputs: readonly string[];
  /** The engine refuses to delete the resource. */
  readonly isProtected: boolean;
  /** URN of the provider. Undefined for a component. */
  readonly provider: string | undefined;
}

/** Plain values. A value that isn't known before the `up` is {@link UNKNOWN}. */
export type Inputs = Readonly<Record<string, unknown>>;

export const UNKNOWN = Symbol("unknown until the up");

export const CONTAINER = "docker:index/container:Container";
export const SWARM_SERVICE = "docker:index/service:Service";
export const VM = "azure-native:compute:VirtualMachine";
export const DISK = "azure-native:compute:Disk";

/** Returns the value at a path such as "hardwareProfile.vmSize"; undefined if there is none. */
export function valueAt(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce(
      (parent: unknown, key) =>
        typeof parent === "object" && parent !== null ? Reflect.get(parent, key) : undefined,
      value,
    );
}

/** Returns the text at a path; undefined if there is none, or if it isn't known yet. */
export function textAt(value: unknown, path: string): string | undefined {
  const found = valueAt(value, path);
  return typeof found === "string" ? found : undefined;
}

/** Returns the number at a path; undefined if there is none, or if it isn't known yet. */
export function numberAt(value: unknown, path: string): number | undefined {
  const found = valueAt(value, path);
  return typeof found === "number" ? found : undefined;
}

/** Returns the elements of the list at a path; none if there is no list, or if it isn't known yet. */
export function listAt(value: unknown, path: string): readonly unknown[] {
  const found = valueAt(value, path);
  return Array.isArray(found) ? found : [];
}

/** Labels of the store's containers and volumes: the program's, which it has in components/container/labelNames.ts. */
export const LABEL = { service: "dev.store.service", role: "dev.store.role" } as const;

/** Returns the value of a label of a container, a network or a volume. */
export function labelOf({ inputs }: PlannedResource, label: string): string | undefined {
  const entry = listAt(inputs, "labels").find((each) => textAt(each, "label") === label);
  return textAt(entry, "value");
}

/** Returns a Swarm service as the container that its instances are; any other resource as it is. */
export function asContainer(resource: PlannedResource): PlannedResource {
  const { type, inputs } = resource;
  if (type !== SWARM_SERVICE) return resource;
  const spec = valueAt(inputs, "taskSpec.containerSpec");
  const at = (path: string): unknown => (spec === UNKNOWN ? UNKNOWN : valueAt(spec, path));
  return {
    ...resource,
    type: CONTAINER,
    inputs: {
      ...{ user: at("user"), envs: at("env"), readOnly: at("readOnly"), mounts: at("mounts") },
      ...{ healthcheck: at("healthcheck"), labels: inputs["labels"] },
      memory: valueAt(inputs, "taskSpec.resources.limits.memoryBytes"),
      capabilities: spec === UNKNOWN ? UNKNOWN : { drops: at("capDrops"), adds: at("capAdds") },
    },
  };
}

/** Returns true if the resource is part of a component of this type, for example "store:index:Gateway". */
export function isPartOf({ urn }: PlannedResource, component: string): boolean {
  const [, , qualifiedType = ""] = urn.split("::");
  return qualifiedType.split("$").slice(0, -1).includes(component);
}

/** Name of the resource's stack, from its URN: `urn:pulumi:STACK::PROJECT::TYPE::NAME`. */
export function stackOf(urn: string): string {
  return /^urn:pulumi:(.*?)::/.exec(urn)?.[1] ?? "";
}

/** Returns the command that sets a key of the resource's stack, in the configuration file that `./store` was given. */
export function configSet({ urn }: PlannedResource, args: string): string {
  const file = process.env["STORE_CONFIG_FILE"];
  const variable = file ? `STORE_CONFIG_FILE='${file.replaceAll("'", "'\\''")}' ` : "";
  return `${variable}./store pulumi config set -s ${stackOf(urn)} ${args}`;
}

/**
 * Returns true if the resource is on the developer's own Docker daemon (`store:host` is local). A resource with an unknown provider is
 * taken for one on another host.
 */
export function isDevelopment({ provider }: PlannedResource): boolean {
  return provider?.includes("::store:index:LocalHost$pulumi:providers:docker::") ?? false;
}
