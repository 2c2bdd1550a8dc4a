// Made by "npm run clients -w @store/kit" from /api/orders/openapi.json of orders: change that, not this.
export interface paths {
  "/api/orders": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The orders, newest first */
    get: operations["listOrders"];
    put?: never;
    /**
     * Places an order, once for each key
     * @description The same key and body get the same answer again, however often and whenever they come; the key of an order with another body is refused. Retry with the same key whenever you don't know whether the order was taken. What can't be ordered (422) isn't kept as an order, nor ever will be under that key, for a month at least: take a new key to try again. 422 items: some can't be had. 422 total-differs: it comes to something else than `total`.
     */
    post: operations["placeOrder"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/orders/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * How far an order is
     * @description Knowing its id is what entitles to see it.
     */
    get: operations["getOrder"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/orders/{id}/cancel": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Has an order undone whose goods aren't taken yet
     * @description One that needs attention, or waits for its next attempt, gives up its goods and its payment and ends as cancelled. If its goods turn out to be taken after all, it goes on instead. Asking again changes nothing. 409 order-not-cancellable once its goods are taken; 409 order-in-progress while it is being worked on.
     */
    post: operations["cancelOrder"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/orders/{id}/retry": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Lets an order go on now, at the step where it stands
     * @description One that needs attention is tried again, and one that waits for its next attempt waits no longer. One that is being worked on stays as it is. 409 nothing-to-retry if it has ended.
     */
    post: operations["retryOrder"];
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
  listOrders: {
    parameters: {
      query?: {
        after?: string;
        limit?: number;
        status?:
          "pending" | "confirmed" | "shipped" | "delivered" | "cancelled" | "needs_attention";
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
              /** @description At this step, without a definite answer. */
              attempts: number;
              customer: {
                email: string;
                name: string;
              };
              id: string;
              /** @description What came of the last attempt. */
              lastError?: string;
              /** Format: date-time */
              placedAt: string;
              /**
               * @description Why it ended badly, in a word for programs. Cancelled: out_of_stock, payment_declined, insufficient_funds, invalid_token, cancelled_by_store or another. needs_attention: what was refused, as in capture_refused.
               * @example out_of_stock
               */
              reason?: string;
              /** @enum {unknown} */
              status:
                "pending" | "confirmed" | "shipped" | "delivered" | "cancelled" | "needs_attention";
              /**
               * @description Where it is: goods held, payment authorised, goods taken, payment taken, shipment created; release and void: being undone. done: there is nothing left to do.
               * @enum {string}
               */
              step:
                | "reserve"
                | "authorise"
                | "commit"
                | "capture"
                | "ship"
                | "release"
                | "void"
                | "done";
              total: {
                /** @description In the currency's minor unit: cents, say. */
                amount: number;
                /** @description ISO 4217. */
                currency: string;
              };
            }[];
            /** @description What to give as `after` for the next page; null at the end. */
            next: string | null;
          };
        };
      };
    };
  };
  placeOrder: {
    parameters: {
      query?: never;
      header: {
        "idempotency-key": string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": {
          customer: {
            address: {
              city: string;
              /**
               * @description ISO 3166-1.
               * @enum {unknown}
               */
              country:
                | "AD"
                | "AE"
                | "AF"
                | "AG"
                | "AI"
                | "AL"
                | "AM"
                | "AO"
                | "AQ"
                | "AR"
                | "AS"
                | "AT"
                | "AU"
                | "AW"
                | "AX"
                | "AZ"
                | "BA"
                | "BB"
                | "BD"
                | "BE"
                | "BF"
                | "BG"
                | "BH"
                | "BI"
                | "BJ"
                | "BL"
                | "BM"
                | "BN"
                | "BO"
                | "BQ"
                | "BR"
                | "BS"
                | "BT"
                | "BV"
                | "BW"
                | "BY"
                | "BZ"
                | "CA"
                | "CC"
                | "CD"
                | "CF"
                | "CG"
                | "CH"
                | "CI"
                | "CK"
                | "CL"
                | "CM"
                | "CN"
                | "CO"
                | "CR"
                | "CU"
                | "CV"
                | "CW"
                | "CX"
                | "CY"
                | "CZ"
                | "DE"
                | "DJ"
                | "DK"
                | "DM"
                | "DO"
                | "DZ"
                | "EC"
                | "EE"
                | "EG"
                | "EH"
                | "ER"
                | "ES"
                | "ET"
                | "FI"
                | "FJ"
                | "FK"
                | "FM"
                | "FO"
                | "FR"
                | "GA"
                | "GB"
                | "GD"
                | "GE"
                | "GF"
                | "GG"
                | "GH"
                | "GI"
                | "GL"
                | "GM"
                | "GN"
                | "GP"
                | "GQ"
                | "GR"
                | "GS"
                | "GT"
                | "GU"
                | "GW"
                | "GY"
                | "HK"
                | "HM"
                | "HN"
                | "HR"
                | "HT"
                | "HU"
                | "ID"
                | "IE"
                | "IL"
                | "IM"
                | "IN"
                | "IO"
                | "IQ"
                | "IR"
                | "IS"
                | "IT"
                | "JE"
                | "JM"
                | "JO"
                | "JP"
                | "KE"
                | "KG"
                | "KH"
                | "KI"
                | "KM"
                | "KN"
                | "KP"
                | "KR"
                | "KW"
                | "KY"
                | "KZ"
                | "LA"
                | "LB"
                | "LC"
                | "LI"
                | "LK"
                | "LR"
                | "LS"
                | "LT"
                | "LU"
                | "LV"
                | "LY"
                | "MA"
                | "MC"
                | "MD"
                | "ME"
                | "MF"
                | "MG"
                | "MH"
                | "MK"
                | "ML"
                | "MM"
                | "MN"
                | "MO"
                | "MP"
                | "MQ"
                | "MR"
                | "MS"
                | "MT"
                | "MU"
                | "MV"
                | "MW"
                | "MX"
                | "MY"
                | "MZ"
                | "NA"
                | "NC"
                | "NE"
                | "NF"
                | "NG"
                | "NI"
                | "NL"
                | "NO"
                | "NP"
                | "NR"
                | "NU"
                | "NZ"
                | "OM"
                | "PA"
                | "PE"
                | "PF"
                | "PG"
                | "PH"
                | "PK"
                | "PL"
                | "PM"
                | "PN"
                | "PR"
                | "PS"
                | "PT"
                | "PW"
                | "PY"
                | "QA"
                | "RE"
                | "RO"
                | "RS"
                | "RU"
                | "RW"
                | "SA"
                | "SB"
                | "SC"
                | "SD"
                | "SE"
                | "SG"
                | "SH"
                | "SI"
                | "SJ"
                | "SK"
                | "SL"
                | "SM"
                | "SN"
                | "SO"
                | "SR"
                | "SS"
                | "ST"
                | "SV"
                | "SX"
                | "SY"
                | "SZ"
                | "TC"
                | "TD"
                | "TF"
                | "TG"
                | "TH"
                | "TJ"
                | "TK"
                | "TL"
                | "TM"
                | "TN"
                | "TO"
                | "TR"
                | "TT"
                | "TV"
                | "TW"
                | "TZ"
                | "UA"
                | "UG"
                | "UM"
                | "US"
                | "UY"
                | "UZ"
                | "VA"
                | "VC"
                | "VE"
                | "VG"
                | "VI"
                | "VN"
                | "VU"
                | "WF"
                | "WS"
                | "YE"
                | "YT"
                | "ZA"
                | "ZM"
                | "ZW";
              line1: string;
              line2?: string;
              postcode: string;
            };
            /** Format: email */
            email: string;
            name: string;
          };
          /** @description Each product once. */
          items: {
            quantity: number;
            /**
             * @description Stock-keeping unit.
             * @example MUG-STONE
             */
            sku: string;
          }[];
          payment: {
            /** @description From the payment provider, for one use. */
            token: string;
          };
          /** @description What the customer was shown. Prices come from inventory: if it isn't what they come to, nothing is ordered. */
          total?: {
            /** @description In the currency's minor unit: cents, say. */
            amount: number;
            /** @description ISO 4217. */
            currency: string;
          };
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
      /** @description The order is kept and will be dealt with. Its path is in the header location. */
      202: {
        headers: {
          /** @description The order's path. */
          location?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            id: string;
            /** @enum {unknown} */
            status:
              "pending" | "confirmed" | "shipped" | "delivered" | "cancelled" | "needs_attention";
          };
        };
      };
    };
  };
  getOrder: {
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
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** @description The statuses that it has had, the newest last. */
            history: {
              /** Format: date-time */
              at: string;
              /**
               * @description Why it ended badly, in a word for programs. Cancelled: out_of_stock, payment_declined, insufficient_funds, invalid_token, cancelled_by_store or another. needs_attention: what was refused, as in capture_refused.
               * @example out_of_stock
               */
              reason?: string;
              /** @enum {unknown} */
              status:
                "pending" | "confirmed" | "shipped" | "delivered" | "cancelled" | "needs_attention";
            }[];
            id: string;
            items: {
              name: string;
              price: {
                /** @description In the currency's minor unit: cents, say. */
                amount: number;
                /** @description ISO 4217. */
                currency: string;
              };
              quantity: number;
              /**
               * @description Stock-keeping unit.
               * @example MUG-STONE
               */
              sku: string;
            }[];
            /** Format: date-time */
            placedAt: string;
            /**
             * @description Why it ended badly, in a word for programs. Cancelled: out_of_stock, payment_declined, insufficient_funds, invalid_token, cancelled_by_store or another. needs_attention: what was refused, as in capture_refused.
             * @example out_of_stock
             */
            reason?: string;
            /** @enum {unknown} */
            status:
              "pending" | "confirmed" | "shipped" | "delivered" | "cancelled" | "needs_attention";
            total: {
              /** @description In the currency's minor unit: cents, say. */
              amount: number;
              /** @description ISO 4217. */
              currency: string;
            };
          };
        };
      };
    };
  };
  cancelOrder: {
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
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** @description The statuses that it has had, the newest last. */
            history: {
              /** Format: date-time */
              at: string;
              /**
               * @description Why it ended badly, in a word for programs. Cancelled: out_of_stock, payment_declined, insufficient_funds, invalid_token, cancelled_by_store or another. needs_attention: what was refused, as in capture_refused.
               * @example out_of_stock
               */
              reason?: string;
              /** @enum {unknown} */
              status:
                "pending" | "confirmed" | "shipped" | "delivered" | "cancelled" | "needs_attention";
            }[];
            id: string;
            items: {
              name: string;
              price: {
                /** @description In the currency's minor unit: cents, say. */
                amount: number;
                /** @description ISO 4217. */
                currency: string;
              };
              quantity: number;
              /**
               * @description Stock-keeping unit.
               * @example MUG-STONE
               */
              sku: string;
            }[];
            /** Format: date-time */
            placedAt: string;
            /**
             * @description Why it ended badly, in a word for programs. Cancelled: out_of_stock, payment_declined, insufficient_funds, invalid_token, cancelled_by_store or another. needs_attention: what was refused, as in capture_refused.
             * @example out_of_stock
             */
            reason?: string;
            /** @enum {unknown} */
            status:
              "pending" | "confirmed" | "shipped" | "delivered" | "cancelled" | "needs_attention";
            total: {
              /** @description In the currency's minor unit: cents, say. */
              amount: number;
              /** @description ISO 4217. */
              currency: string;
            };
          };
        };
      };
    };
  };
  retryOrder: {
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
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** @description The statuses that it has had, the newest last. */
            history: {
              /** Format: date-time */
              at: string;
              /**
               * @description Why it ended badly, in a word for programs. Cancelled: out_of_stock, payment_declined, insufficient_funds, invalid_token, cancelled_by_store or another. needs_attention: what was refused, as in capture_refused.
               * @example out_of_stock
               */
              reason?: string;
              /** @enum {unknown} */
              status:
                "pending" | "confirmed" | "shipped" | "delivered" | "cancelled" | "needs_attention";
            }[];
            id: string;
            items: {
              name: string;
              price: {
                /** @description In the currency's minor unit: cents, say. */
                amount: number;
                /** @description ISO 4217. */
                currency: string;
              };
              quantity: number;
              /**
               * @description Stock-keeping unit.
               * @example MUG-STONE
               */
              sku: string;
            }[];
            /** Format: date-time */
            placedAt: string;
            /**
             * @description Why it ended badly, in a word for programs. Cancelled: out_of_stock, payment_declined, insufficient_funds, invalid_token, cancelled_by_store or another. needs_attention: what was refused, as in capture_refused.
             * @example out_of_stock
             */
            reason?: string;
            /** @enum {unknown} */
            status:
              "pending" | "confirmed" | "shipped" | "delivered" | "cancelled" | "needs_attention";
            total: {
              /** @description In the currency's minor unit: cents, say. */
              amount: number;
              /** @description ISO 4217. */
              currency: string;
            };
          };
        };
      };
    };
  };
}
