import type { ResourceValidationArgs } from "@pulumi/policy";
// An `import` would be a copy, whose change has no effect on the library.
// eslint-disable-next-line @typescript-eslint/no-require-imports
import deserialize = require("@pulumi/policy/deserialize");
import * as proxy from "@pulumi/policy/proxy";
import { Inputs, PlannedResource, UNKNOWN } from "./resource";

/** Message of the engine with the inputs of a resource. */
interface Struct {
  toJavaScript(): Readonly<Record<string, unknown>>;
}

const ENGINE_VALUES = "__engineValues";

/**
 * Gives the policies the inputs as the engine sent them, so that they see what is secret and what isn't known yet: @pulumi/policy
 * removes the marks of secrets, and reports a violation of its own when a policy reads a value that isn't known yet. All policies share
 * one copy, and @pulumi/pulumi isn't loaded, which takes longer than all policies together.
 */
export function passEngineValues(): void {
  const values = new WeakMap<Struct, object>();
  Object.assign(deserialize, {
    deserializeProperties: (struct: Struct): object => {
      const before = values.get(struct);
      if (before) return before;
      // Neither writable nor configurable, or the library's proxy would wrap the value.
      const props = Object.defineProperty({}, ENGINE_VALUES, { value: struct.toJavaScript() });
      values.set(struct, props);
      return props;
    },
  });
}

const resources = new WeakMap<object, PlannedResource>();

/** Returns the resource that a policy is called for; the same object for all policies. */
export function plannedResource(args: ResourceValidationArgs): PlannedResource {
  const values = args.props[ENGINE_VALUES] as Readonly<Record<string, unknown>>;
  const existing = resources.get(values);
  if (existing) return existing;
  const resource = {
    type: args.type,
    urn: args.urn,
    inputs: plain(values) as Inputs,
    secretInputs: Object.keys(values).filter((name) => hasSecret(values[name])),
    isProtected: args.opts.protect,
    provider: args.provider?.urn,
  };
  resources.set(values, resource);
  return resource;
}

const UNKNOWN_VALUES: ReadonlySet<unknown> = new Set(
  Object.entries(proxy).flatMap(([name, value]) => (/^unknown\w+Value$/.test(name) ? [value] : [])),
);

/** Returns the value of a secret in place of the secret, and {@link UNKNOWN} for a value that isn't known yet. */
function plain(value: unknown): unknown {
  if (UNKNOWN_VALUES.has(value)) return UNKNOWN;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (isSecret(value)) return plain(Reflect.get(value, "value"));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function hasSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return isSecret(value) || Object.values(value).some(hasSecret);
}

/** Keys of the engine's format. @see https://github.com/pulumi/pulumi/blob/master/sdk/nodejs/runtime/rpc.ts */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

function isSecret(value: object): boolean {
  return Reflect.get(value, SIGNATURE) === SECRET;
}
