// Made by "npm run clients -w @store/kit" from /api/shipping/openapi.json of shipping: change that, not this.
export interface paths {
  "/api/shipping/shipments": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * The shipment of an order, or those of a status, oldest first
     * @description Say at least one of `order` and `status`.
     */
    get: operations["listShipments"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/shipping/shipments/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** One shipment */
    get: operations["getShipment"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/shipping/shipments/{id}/deliver": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Says that it has arrived
     * @description Said again, it changes nothing. 409 not-dispatched.
     */
    post: operations["deliverShipment"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/shipping/shipments/{id}/dispatch": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Says that it has left
     * @description Said again, it changes nothing.
     */
    post: operations["dispatchShipment"];
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
  listShipments: {
    parameters: {
      query?: {
        after?: string;
        limit?: number;
        order?: string;
        /** @description pending: to be packed; dispatched: on its way. */
        status?: "pending" | "dispatched" | "delivered";
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
              /** Format: date-time */
              createdAt: string;
              /** @description When it arrived; null before. */
              deliveredAt: string | null;
              /** @description When it left; null before. */
              dispatchedAt: string | null;
              id: string;
              lines: {
                name: string;
                quantity: number;
                /**
                 * @description Stock-keeping unit.
                 * @example MUG-STONE
                 */
                sku: string;
              }[];
              order: string;
              /** @description Null where it was made by an early release. */
              recipient: {
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
                name: string;
              } | null;
              /**
               * @description pending: to be packed; dispatched: on its way.
               * @enum {string}
               */
              status: "pending" | "dispatched" | "delivered";
            }[];
            /** @description What to give as `after` for the next page; null at the end. */
            next: string | null;
          };
        };
      };
    };
  };
  getShipment: {
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
      /** @description The parcel of an order, and how far it has come. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** Format: date-time */
            createdAt: string;
            /** @description When it arrived; null before. */
            deliveredAt: string | null;
            /** @description When it left; null before. */
            dispatchedAt: string | null;
            id: string;
            lines: {
              name: string;
              quantity: number;
              /**
               * @description Stock-keeping unit.
               * @example MUG-STONE
               */
              sku: string;
            }[];
            order: string;
            /** @description Null where it was made by an early release. */
            recipient: {
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
              name: string;
            } | null;
            /**
             * @description pending: to be packed; dispatched: on its way.
             * @enum {string}
             */
            status: "pending" | "dispatched" | "delivered";
          };
        };
      };
    };
  };
  deliverShipment: {
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
      /** @description The parcel of an order, and how far it has come. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** Format: date-time */
            createdAt: string;
            /** @description When it arrived; null before. */
            deliveredAt: string | null;
            /** @description When it left; null before. */
            dispatchedAt: string | null;
            id: string;
            lines: {
              name: string;
              quantity: number;
              /**
               * @description Stock-keeping unit.
               * @example MUG-STONE
               */
              sku: string;
            }[];
            order: string;
            /** @description Null where it was made by an early release. */
            recipient: {
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
              name: string;
            } | null;
            /**
             * @description pending: to be packed; dispatched: on its way.
             * @enum {string}
             */
            status: "pending" | "dispatched" | "delivered";
          };
        };
      };
    };
  };
  dispatchShipment: {
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
      /** @description The parcel of an order, and how far it has come. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** Format: date-time */
            createdAt: string;
            /** @description When it arrived; null before. */
            deliveredAt: string | null;
            /** @description When it left; null before. */
            dispatchedAt: string | null;
            id: string;
            lines: {
              name: string;
              quantity: number;
              /**
               * @description Stock-keeping unit.
               * @example MUG-STONE
               */
              sku: string;
            }[];
            order: string;
            /** @description Null where it was made by an early release. */
            recipient: {
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
              name: string;
            } | null;
            /**
             * @description pending: to be packed; dispatched: on its way.
             * @enum {string}
             */
            status: "pending" | "dispatched" | "delivered";
          };
        };
      };
    };
  };
}
