/** Row of the gateway, which isn't a service of its own. */
export const GATEWAY = "gateway";

/**
 * Returns the service of a resource by the resource's name, for example "orders" for "orders-database"; the one with the longest name
 * if several match. Undefined for resources that several services share.
 */
export function serviceOf(resource: string, services: readonly string[]): string | undefined {
  return [...services, GATEWAY]
    .filter((service) => resource === service || resource.startsWith(`${service}-`))
    .sort((a, b) => b.length - a.length)[0];
}
