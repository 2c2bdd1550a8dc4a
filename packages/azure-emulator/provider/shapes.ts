import { Fields, objectFields, Shape } from "../arm/schema";
import { isList, isObject, Properties, UNKNOWN, Value } from "../arm/values";

/** Returns the properties that these fields declare, at all depths. The published provider sends and stores no others. */
export function declared(properties: Properties, fields: Fields): Properties {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, value]) => {
      const field = fields.get(name);
      return field === undefined || value === undefined
        ? []
        : [[name, declaredValue(value, field.shape)]];
    }),
  );
}

function declaredValue(value: Value, shape: Shape): Value {
  if (shape.kind === "list" && isList(value))
    return value.map((inner) => declaredValue(inner, shape.of));
  if (shape.kind === "object" && isObject(value)) return declared(value, objectFields(shape));
  return value;
}

/** Returns the outputs in a preview: the inputs, and all other outputs as unknown. */
export function previewed(inputs: Properties, fields: Fields): Properties {
  return Object.fromEntries(
    [...fields].map(([name, { shape }]) => [name, previewedValue(inputs[name], shape)]),
  );
}

function previewedValue(value: Value | undefined, shape: Shape): Value {
  if (value === undefined) return UNKNOWN;
  if (shape.kind === "object" && isObject(value)) return previewed(value, objectFields(shape));
  if (shape.kind === "list" && isList(value))
    return value.map((inner) => previewedValue(inner, shape.of));
  return value;
}
