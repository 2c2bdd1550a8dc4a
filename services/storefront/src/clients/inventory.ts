// Made by "npm run clients -w @store/kit" from /api/inventory/openapi.json of inventory: change that, not this.
export interface paths {
  "/api/inventory/images/{file}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** A product's picture */
    get: operations["getImage"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/inventory/products": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * The catalogue, what is searched for in it, or the products of these SKUs, in the order of the SKUs
     * @description 400 with the type urn:store:problem:skus-with-others where skus comes together with another parameter.
     */
    get: operations["listProducts"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/inventory/products/{sku}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** One product */
    get: operations["getProduct"];
    /**
     * Adds a product, or replaces what is said of it and how many are on the shelf
     * @description With if-match, only if it is still as it was with that etag; with if-none-match: *, only if there is none yet. 412 otherwise. 409 with the type urn:store:problem:stock-held if fewer would be on the shelf than are held for orders.
     */
    put: operations["putProduct"];
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/inventory/stock": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The products with what is on the shelf and what of it is held for orders */
    get: operations["listStock"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/inventory/stock/{sku}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * One product with what is on the shelf and what of it is held for orders
     * @description The header etag is for an edit's if-match. It changes with each edit and each sale, and not with what is held.
     */
    get: operations["getStock"];
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
  getImage: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        file: string;
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
      /** @description The picture */
      200: {
        headers: {
          /** @description The picture's version, for if-none-match. */
          etag?: string;
          [name: string]: unknown;
        };
        content: {
          "image/svg+xml": string;
        };
      };
      /** @description The picture that the caller has is still the right one */
      304: {
        headers: {
          /** @description The picture's version, for if-none-match. */
          etag?: string;
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  listProducts: {
    parameters: {
      query?: {
        /**
         * @description Stock-keeping unit.
         * @example MUG-STONE
         */
        after?: string;
        limit?: number;
        /** @description Words that must all be in the product's name, description or SKU, in any case. */
        q?: string;
        /**
         * @description Alone: 1 to 50 SKUs with commas between them. The answer is one page with those of them that there are.
         * @example MUG-STONE,VASE-BUD
         */
        skus?: string;
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
              /** @description How many can be ordered now. */
              available: number;
              description: string;
              /** @description Path of a picture in this store. An early release took URLs of other sites, too. */
              image: string;
              name: string;
              price: {
                /** @description In the currency's minor unit: cents, say. */
                amount: number;
                /**
                 * @description ISO 4217.
                 * @example AUD
                 */
                currency: string;
              };
              /**
               * @description Stock-keeping unit.
               * @example MUG-STONE
               */
              sku: string;
            }[];
            /** @description What to give as `after` for the next page; null at the end. */
            next: string | null;
          };
        };
      };
    };
  };
  getProduct: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /**
         * @description Stock-keeping unit.
         * @example MUG-STONE
         */
        sku: string;
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
            /** @description How many can be ordered now. */
            available: number;
            description: string;
            /** @description Path of a picture in this store. An early release took URLs of other sites, too. */
            image: string;
            name: string;
            price: {
              /** @description In the currency's minor unit: cents, say. */
              amount: number;
              /**
               * @description ISO 4217.
               * @example AUD
               */
              currency: string;
            };
            /**
             * @description Stock-keeping unit.
             * @example MUG-STONE
             */
            sku: string;
          };
        };
      };
    };
  };
  putProduct: {
    parameters: {
      query?: never;
      header?: {
        /** @description Entity tags, or *. */
        "if-match"?: string;
        /** @description Entity tags, or *. */
        "if-none-match"?: string;
      };
      path: {
        /**
         * @description Stock-keeping unit.
         * @example MUG-STONE
         */
        sku: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": {
          description: string;
          /**
           * @description Path of a picture in this store, with one slash at its beginning: pages show no other site's. Where it is missing, a product keeps its own.
           * @example /api/inventory/images/MUG-STONE.svg
           */
          image?: string;
          name: string;
          /** @description How many are on the shelf now, with those that are held for orders. */
          onHand: number;
          price: {
            /** @description In the currency's minor unit: cents, say. */
            amount: number;
            /**
             * @description ISO 4217.
             * @example AUD
             * @enum {unknown}
             */
            currency:
              | "AED"
              | "AFN"
              | "ALL"
              | "AMD"
              | "AOA"
              | "ARS"
              | "AUD"
              | "AWG"
              | "AZN"
              | "BAM"
              | "BBD"
              | "BDT"
              | "BHD"
              | "BIF"
              | "BMD"
              | "BND"
              | "BOB"
              | "BRL"
              | "BSD"
              | "BTN"
              | "BWP"
              | "BYN"
              | "BZD"
              | "CAD"
              | "CDF"
              | "CHF"
              | "CLP"
              | "CNY"
              | "COP"
              | "CRC"
              | "CUP"
              | "CVE"
              | "CZK"
              | "DJF"
              | "DKK"
              | "DOP"
              | "DZD"
              | "EGP"
              | "ERN"
              | "ETB"
              | "EUR"
              | "FJD"
              | "FKP"
              | "GBP"
              | "GEL"
              | "GHS"
              | "GIP"
              | "GMD"
              | "GNF"
              | "GTQ"
              | "GYD"
              | "HKD"
              | "HNL"
              | "HTG"
              | "HUF"
              | "IDR"
              | "ILS"
              | "INR"
              | "IQD"
              | "IRR"
              | "ISK"
              | "JMD"
              | "JOD"
              | "JPY"
              | "KES"
              | "KGS"
              | "KHR"
              | "KMF"
              | "KPW"
              | "KRW"
              | "KWD"
              | "KYD"
              | "KZT"
              | "LAK"
              | "LBP"
              | "LKR"
              | "LRD"
              | "LSL"
              | "LYD"
              | "MAD"
              | "MDL"
              | "MGA"
              | "MKD"
              | "MMK"
              | "MNT"
              | "MOP"
              | "MRU"
              | "MUR"
              | "MVR"
              | "MWK"
              | "MXN"
              | "MYR"
              | "MZN"
              | "NAD"
              | "NGN"
              | "NIO"
              | "NOK"
              | "NPR"
              | "NZD"
              | "OMR"
              | "PAB"
              | "PEN"
              | "PGK"
              | "PHP"
              | "PKR"
              | "PLN"
              | "PYG"
              | "QAR"
              | "RON"
              | "RSD"
              | "RUB"
              | "RWF"
              | "SAR"
              | "SBD"
              | "SCR"
              | "SDG"
              | "SEK"
              | "SGD"
              | "SHP"
              | "SLE"
              | "SOS"
              | "SRD"
              | "SSP"
              | "STN"
              | "SVC"
              | "SYP"
              | "SZL"
              | "THB"
              | "TJS"
              | "TMT"
              | "TND"
              | "TOP"
              | "TRY"
              | "TTD"
              | "TWD"
              | "TZS"
              | "UAH"
              | "UGX"
              | "USD"
              | "UYU"
              | "UZS"
              | "VED"
              | "VES"
              | "VND"
              | "VUV"
              | "WST"
              | "XAF"
              | "XCD"
              | "XCG"
              | "XOF"
              | "XPF"
              | "YER"
              | "ZAR"
              | "ZMW"
              | "ZWG";
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
      /** @description A product as the store's own people see it. */
      200: {
        headers: {
          /** @description The version, for an edit's if-match. */
          etag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** @description How many can be ordered now. */
            available: number;
            description: string;
            /** @description How many of these are held for orders. */
            held: number;
            /** @description Path of a picture in this store. An early release took URLs of other sites, too. */
            image: string;
            name: string;
            /** @description How many are on the shelf. */
            onHand: number;
            price: {
              /** @description In the currency's minor unit: cents, say. */
              amount: number;
              /**
               * @description ISO 4217.
               * @example AUD
               */
              currency: string;
            };
            /**
             * @description Stock-keeping unit.
             * @example MUG-STONE
             */
            sku: string;
          };
        };
      };
      /** @description A product as the store's own people see it. */
      201: {
        headers: {
          /** @description The version, for an edit's if-match. */
          etag?: string;
          /** @description The product's path. */
          location?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** @description How many can be ordered now. */
            available: number;
            description: string;
            /** @description How many of these are held for orders. */
            held: number;
            /** @description Path of a picture in this store. An early release took URLs of other sites, too. */
            image: string;
            name: string;
            /** @description How many are on the shelf. */
            onHand: number;
            price: {
              /** @description In the currency's minor unit: cents, say. */
              amount: number;
              /**
               * @description ISO 4217.
               * @example AUD
               */
              currency: string;
            };
            /**
             * @description Stock-keeping unit.
             * @example MUG-STONE
             */
            sku: string;
          };
        };
      };
    };
  };
  listStock: {
    parameters: {
      query?: {
        /**
         * @description Stock-keeping unit.
         * @example MUG-STONE
         */
        after?: string;
        limit?: number;
        /** @description Words that must all be in the product's name, description or SKU, in any case. */
        q?: string;
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
              /** @description How many can be ordered now. */
              available: number;
              description: string;
              /** @description How many of these are held for orders. */
              held: number;
              /** @description Path of a picture in this store. An early release took URLs of other sites, too. */
              image: string;
              name: string;
              /** @description How many are on the shelf. */
              onHand: number;
              price: {
                /** @description In the currency's minor unit: cents, say. */
                amount: number;
                /**
                 * @description ISO 4217.
                 * @example AUD
                 */
                currency: string;
              };
              /**
               * @description Stock-keeping unit.
               * @example MUG-STONE
               */
              sku: string;
            }[];
            /** @description What to give as `after` for the next page; null at the end. */
            next: string | null;
          };
        };
      };
    };
  };
  getStock: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /**
         * @description Stock-keeping unit.
         * @example MUG-STONE
         */
        sku: string;
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
      /** @description A product as the store's own people see it. */
      200: {
        headers: {
          /** @description The version, for an edit's if-match. */
          etag?: string;
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** @description How many can be ordered now. */
            available: number;
            description: string;
            /** @description How many of these are held for orders. */
            held: number;
            /** @description Path of a picture in this store. An early release took URLs of other sites, too. */
            image: string;
            name: string;
            /** @description How many are on the shelf. */
            onHand: number;
            price: {
              /** @description In the currency's minor unit: cents, say. */
              amount: number;
              /**
               * @description ISO 4217.
               * @example AUD
               */
              currency: string;
            };
            /**
             * @description Stock-keeping unit.
             * @example MUG-STONE
             */
            sku: string;
          };
        };
      };
    };
  };
}
