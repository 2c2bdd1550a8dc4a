// Made by "npm run clients -w @store/kit" from components/gateway/gatewayApi.json: change that, not this.
export interface paths {
  "/api": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The services that publish an interface, by their names */
    get: operations["listServices"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: never;
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
  listServices: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description All that there are: more come with the store’s next release. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            services: {
              /** @example orders */
              name: string;
              /**
               * @description Path of the document that describes it.
               * @example /api/orders/openapi.json
               */
              openapi: string;
            }[];
          };
        };
      };
    };
  };
}
