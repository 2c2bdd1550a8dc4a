import { createParser, Type } from "@store/kit";

const parseServices = createParser(
  Type.Object({
    services: Type.Array(
      Type.Object({
        name: Type.String({ pattern: "^[a-z][a-z0-9-]*$" }),
        // Same origin only: otherwise a page could present a foreign document as ours.
        openapi: Type.String({ pattern: "^/[^/\\\\]" }),
      }),
    ),
  }),
);

/** A service with a published API. */
export type Api = NonNullable<ReturnType<typeof parseServices>>["services"][number];

/** Parses the gateway's list of services. @throws if it is invalid. */
export function parseApiList(data: unknown): readonly Api[] {
  const services = parseServices(data)?.services;
  if (services === undefined) throw new Error("the gateway returned an invalid list of services");
  return services;
}
