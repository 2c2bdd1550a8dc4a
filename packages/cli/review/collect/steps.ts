import type { Step } from "../model/reviewModel";
import { shorten } from "../model/shorten";
import type { EngineStep } from "./engineStep";
import { propertyNames, propertyPaths, publicChanges } from "./publicValues";
import { variableNames } from "./environment";
import { serviceOf } from "./serviceNames";

/**
 * Returns the step without its values, except public ones.
 *
 * @param services Names of all services.
 */
export function publicStep(step: EngineStep, services: readonly string[]): Step {
  const { operation, type, name, old, new: after } = step;
  const changed = operation === "update" || operation === "replace";
  const service = serviceOf(name, services);
  const isProtected = (old ?? after)?.protect === true;
  return {
    operation,
    type: shorten(type),
    name: shorten(name),
    properties: changed ? changedProperties(step) : [],
    ...(type.startsWith("azure-native:") &&
      step.causes.length > 0 && { causes: propertyPaths(step.causes) }),
    changes: publicChanges(type, old?.inputs, after?.inputs).map((change) => ({
      ...change,
      ...(change.before !== undefined && { before: shorten(change.before) }),
      ...(change.after !== undefined && { after: shorten(change.after) }),
    })),
    ...(service !== undefined && { service }),
    ...(isProtected && { protected: true }),
  };
}

/** Names of the properties that change; of the variables in place of `envs`. */
function changedProperties({ type, paths, old, new: after }: EngineStep): string[] {
  const variables = variableNames(type, old?.inputs, after?.inputs);
  const names = propertyNames(paths).filter((name) => name !== "envs" || variables.length === 0);
  return [...names, ...variables];
}

/** Identifies a step in the previews of two checkouts. */
function stepKey({ operation, type, name, properties, changes }: Step): string {
  return JSON.stringify([operation, type, name, properties, changes]);
}

/** Marks the steps that the base has, too. */
export function markInherited(steps: readonly Step[], base: readonly Step[]): Step[] {
  const inherited = new Set(base.map(stepKey));
  return steps.map((step) => (inherited.has(stepKey(step)) ? { ...step, inherited: true } : step));
}
