// Made by "npm run clients -w @store/kit" from /api/billing/openapi.json of billing: change that, not this.
export interface paths {
  "/api/billing/payment-methods": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What an order can be paid with */
    get: operations["listPaymentMethods"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/billing/payments": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The payments of an order, oldest first */
    get: operations["listPayments"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/billing/payments/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** One payment */
    get: operations["getPayment"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/billing/payments/{id}/refunds": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Pays a captured payment back, all of it or a part
     * @description Under an idempotency-key, the same body gets the same refund, as it is by then; another body is refused (422). More than is left: 409 refund-exceeds. Not captured: 409 payment-not-captured.
     */
    post: operations["refundPayment"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /**
     * Problem
     * @description RFC 9457 problem document.
     */
    Problem: {
      detail: string;
      /** @description The fields that are wrong. */
      errors?: {
        in: "body" | "query" | "path" | "header";
        message: string;
        /** @description JSON pointer to the field. */
        pointer: string;
      }[];
      /** @description The request's id, as in the logs and the header x-request-id. */
      instance: string;
      status: number;
      title: string;
      /** @description A URN for problems that a program may want to tell apart, else about:blank. */
      type: string;
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
  listPaymentMethods: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Problem */
      "4XX": {
        headers: {
          /** @description With 405: the methods that are possible here. */
          allow?: string;
          /** @description With 429: in how many seconds to try again. */
          "retry-after"?: string;
          /** @description With 401: how to say who you are. */
          "www-authenticate"?: string;
          /** @description The request's id, as in the logs. */
          "x-request-id"?: string;
          [name: string]: unknown;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description Problem */
      "5XX": {
        headers: {
          /** @description With 503 and 504: in how many seconds to try again. */
          "retry-after"?: string;
          /** @description The request's id, as in the logs. */
          "x-request-id"?: string;
          [name: string]: unknown;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description What the store takes as a payment. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** @description What anybody can pay with by its token alone. Empty: cards are entered into the provider's own form, by a front end that loads it, and that form makes the token for one order. */
            methods: {
              /** @description For people: what comes of it, in a sentence. */
              description: string;
              /** @description For people, as short as a label. */
              name: string;
              /**
               * @description What comes of it in the end.
               * @enum {string}
               */
              outcome: "authorised" | "declined";
              /**
               * @description Why it was declined: declined, insufficient_funds, expired_card, authentication_required, invalid_token or another word of the provider's.
               * @example insufficient_funds
               */
              reason?: string;
              /**
               * @description What an order gives as its payment.
               * @example tok_ok
               */
              token: string;
            }[];
            /** @description false: it is a trial, and nobody pays anything. */
            movesMoney: boolean;
            /**
             * @description Who takes the money.
             * @example simulated
             */
            provider: string;
          };
        };
      };
    };
  };
  listPayments: {
    parameters: {
      query: {
        order: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Problem */
      "4XX": {
        headers: {
          /** @description With 405: the methods that are possible here. */
          allow?: string;
          /** @description With 429: in how many seconds to try again. */
          "retry-after"?: string;
          /** @description With 401: how to say who you are. */
          "www-authenticate"?: string;
          /** @description The request's id, as in the logs. */
          "x-request-id"?: string;
          [name: string]: unknown;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description Problem */
      "5XX": {
        headers: {
          /** @description With 503 and 504: in how many seconds to try again. */
          "retry-after"?: string;
          /** @description The request's id, as in the logs. */
          "x-request-id"?: string;
          [name: string]: unknown;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            items: {
              amount: {
                /**
                 * @description In the currency's minor unit: cents, say.
                 * @example 8900
                 */
                amount: number;
                /**
                 * @description ISO 4217.
                 * @example AUD
                 */
                currency: string;
              };
              /** Format: date-time */
              createdAt: string;
              id: string;
              order: string;
              /**
               * @description Why it was declined: declined, insufficient_funds, expired_card, authentication_required, invalid_token or another word of the provider's.
               * @example insufficient_funds
               */
              reason?: string;
              /** @description The sum of its refunds, those on their way included. */
              refunded: {
                /**
                 * @description In the currency's minor unit: cents, say.
                 * @example 8900
                 */
                amount: number;
                /**
                 * @description ISO 4217.
                 * @example AUD
                 */
                currency: string;
              };
              /** @description Oldest first. */
              refunds: {
                amount: {
                  /**
                   * @description In the currency's minor unit: cents, say.
                   * @example 8900
                   */
                  amount: number;
                  /**
                   * @description ISO 4217.
                   * @example AUD
                   */
                  currency: string;
                };
                /** Format: date-time */
                createdAt: string;
                /** @description Why it failed, by the provider. */
                failure?: string;
                id: string;
                payment: string;
                reason?: string;
                /**
                 * @description pending: kept, and will be carried out without being asked again; succeeded: paid back; failed: refused by the provider for good.
                 * @enum {string}
                 */
                status: "pending" | "succeeded" | "failed";
              }[];
              /**
               * @description pending: not known yet; authorised: held on the customer's account; captured: taken; refunded: all of it paid back; voided: given up before it was taken; declined: refused.
               * @enum {string}
               */
              status: "pending" | "authorised" | "captured" | "refunded" | "voided" | "declined";
            }[];
          };
        };
      };
    };
  };
  getPayment: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Problem */
      "4XX": {
        headers: {
          /** @description With 405: the methods that are possible here. */
          allow?: string;
          /** @description With 429: in how many seconds to try again. */
          "retry-after"?: string;
          /** @description With 401: how to say who you are. */
          "www-authenticate"?: string;
          /** @description The request's id, as in the logs. */
          "x-request-id"?: string;
          [name: string]: unknown;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description Problem */
      "5XX": {
        headers: {
          /** @description With 503 and 504: in how many seconds to try again. */
          "retry-after"?: string;
          /** @description The request's id, as in the logs. */
          "x-request-id"?: string;
          [name: string]: unknown;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description What was asked of a customer for an order, and what came of it. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            amount: {
              /**
               * @description In the currency's minor unit: cents, say.
               * @example 8900
               */
              amount: number;
              /**
               * @description ISO 4217.
               * @example AUD
               */
              currency: string;
            };
            /** Format: date-time */
            createdAt: string;
            id: string;
            order: string;
            /**
             * @description Why it was declined: declined, insufficient_funds, expired_card, authentication_required, invalid_token or another word of the provider's.
             * @example insufficient_funds
             */
            reason?: string;
            /** @description The sum of its refunds, those on their way included. */
            refunded: {
              /**
               * @description In the currency's minor unit: cents, say.
               * @example 8900
               */
              amount: number;
              /**
               * @description ISO 4217.
               * @example AUD
               */
              currency: string;
            };
            /** @description Oldest first. */
            refunds: {
              amount: {
                /**
                 * @description In the currency's minor unit: cents, say.
                 * @example 8900
                 */
                amount: number;
                /**
                 * @description ISO 4217.
                 * @example AUD
                 */
                currency: string;
              };
              /** Format: date-time */
              createdAt: string;
              /** @description Why it failed, by the provider. */
              failure?: string;
              id: string;
              payment: string;
              reason?: string;
              /**
               * @description pending: kept, and will be carried out without being asked again; succeeded: paid back; failed: refused by the provider for good.
               * @enum {string}
               */
              status: "pending" | "succeeded" | "failed";
            }[];
            /**
             * @description pending: not known yet; authorised: held on the customer's account; captured: taken; refunded: all of it paid back; voided: given up before it was taken; declined: refused.
             * @enum {string}
             */
            status: "pending" | "authorised" | "captured" | "refunded" | "voided" | "declined";
          };
        };
      };
    };
  };
  refundPayment: {
    parameters: {
      query?: never;
      header?: {
        "idempotency-key"?: string;
      };
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": {
          /** @description All that is left where it isn't said. */
          amount?: {
            /**
             * @description In the currency's minor unit: cents, say.
             * @example 8900
             */
            amount: number;
            /**
             * @description ISO 4217.
             * @example AUD
             */
            currency: string;
          };
          /** @description For the store's own people. */
          reason?: string;
        };
      };
    };
    responses: {
      /** @description Problem */
      "4XX": {
        headers: {
          /** @description With 405: the methods that are possible here. */
          allow?: string;
          /** @description With 429: in how many seconds to try again. */
          "retry-after"?: string;
          /** @description With 401: how to say who you are. */
          "www-authenticate"?: string;
          /** @description The request's id, as in the logs. */
          "x-request-id"?: string;
          [name: string]: unknown;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description Problem */
      "5XX": {
        headers: {
          /** @description With 503 and 504: in how many seconds to try again. */
          "retry-after"?: string;
          /** @description The request's id, as in the logs. */
          "x-request-id"?: string;
          [name: string]: unknown;
        };
        content: {
          "application/problem+json": components["schemas"]["Problem"];
        };
      };
      /** @description What a customer is paid back. */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            amount: {
              /**
               * @description In the currency's minor unit: cents, say.
               * @example 8900
               */
              amount: number;
              /**
               * @description ISO 4217.
               * @example AUD
               */
              currency: string;
            };
            /** Format: date-time */
            createdAt: string;
            /** @description Why it failed, by the provider. */
            failure?: string;
            id: string;
            payment: string;
            reason?: string;
            /**
             * @description pending: kept, and will be carried out without being asked again; succeeded: paid back; failed: refused by the provider for good.
             * @enum {string}
             */
            status: "pending" | "succeeded" | "failed";
          };
        };
      };
    };
  };
}
