import { typeOf } from "../arm/catalogue";
import { Resource, View } from "../arm/resourceType";
import { apiVersionOf, outputFields, partsOf } from "../arm/schema";
import { given, merged, Properties, without } from "../arm/values";
import { declared } from "./shapes";

/**
 * Returns a resource's outputs, as the published provider stores them: the response of a GET, in which Azure has filled in defaults and
 * left out secrets and the names in the path, and the API version.
 */
export function outputsOf(resource: Resource, cloud: View): Properties {
  const type = typeOf(resource.token);
  const all = merged(
    type.defaults?.(resource, cloud) ?? {},
    resource.properties,
    resource.computed,
    type.related?.(resource, cloud) ?? {},
  );
  const reported = (type.hidden?.(resource) ?? []).reduce(without, all);
  return {
    ...given(declared(reported, outputFields(...partsOf(type.token)))),
    azureApiVersion: apiVersionOf(type.token),
  };
}
