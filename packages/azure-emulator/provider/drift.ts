import { isList, isObject, Properties, same, Value } from "../arm/values";

/**
 * Returns the inputs after a refresh as the published provider computes them: it can't know which values are defaults of Azure, so it
 * applies the differences between the old and the new outputs to the inputs. A default is copied as soon as it changes.
 *
 * @param old Old outputs, reduced to the declared inputs.
 * @param now New outputs, reduced to the declared inputs.
 */
export function driftedInputs(inputs: Properties, old: Properties, now: Properties): Properties {
  const kept = Object.entries(inputs).filter(
    ([name]) => old[name] === undefined || now[name] !== undefined,
  );
  const changed = Object.entries(now).flatMap(([name, value]): [string, Value | undefined][] =>
    value === undefined || same(old[name], value)
      ? []
      : [[name, drifted(inputs[name], old[name], value)]],
  );
  return Object.fromEntries([...kept, ...changed]);
}

function drifted(input: Value | undefined, old: Value | undefined, now: Value): Value {
  if (isObject(input) && isObject(old) && isObject(now)) return driftedInputs(input, old, now);
  if (isList(input) && isList(old) && isList(now)) {
    return now.map((value, i) =>
      i < input.length && i < old.length ? drifted(input[i], old[i], value) : value,
    );
  }
  return now;
}
