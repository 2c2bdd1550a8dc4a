import { RateLimit } from "../../../services/spec";
import { refuse } from "../gatewayAnswers";
import { notFromProxy, notPassedOn } from "./clients";
import type { Route } from "../haproxy";
import { hostCondition } from "./hosts";

/*
 * Limits per client address, as directives of HAProxy. Only clients outside of the store's own networks count.
 */

/**
 * Directives for the limit of connections, which close a further connection before anything is read from it. Not logged: a flood of
 * connections would be a flood of lines.
 *
 * @param outside Condition for connections that count.
 */
export function connectionLimit(
  connections: number,
  outside: string,
): Record<"rules" | "tables", string[]> {
  if (connections === 0) return { rules: [], tables: [] };
  return {
    rules: [
      `tcp-request connection track-sc2 ${CLIENT} table ${CONNECTION_TABLE} if ${outside}`,
      `tcp-request connection reject if ${outside} { sc2_conn_cur gt ${connections} }`,
    ],
    tables: [
      `backend ${CONNECTION_TABLE}\n    stick-table type ipv6 size 100k expire 1m store conn_cur`,
    ],
  };
}

/** No service name contains a dot. */
const CONNECTION_TABLE = "gateway.connections";

/** The client's address; an IPv6 client has a whole network of addresses. */
const CLIENT = "src,ipmask(32,64)";

/**
 * Directives for the limit of all requests and for the routes' own limits, per client address. Only requests from outside count,
 * because storefront sends those of all its visitors.
 *
 * @param outside Condition for requests from outside.
 */
export function rateLimits(
  requests: number,
  routes: readonly Route[],
  outside: string,
  proxies: readonly string[],
): string[] {
  return [
    `stick-table ${stickTable(10)}`,
    ...limit({
      counter: "sc0",
      condition: outside,
      requests,
      seconds: 10,
      detail: `More than ${requests} requests came from your address within 10 seconds.`,
      first: floodRules(requests, outside, proxies),
    }),
    ...routes.flatMap((route) =>
      tableLimits(route).flatMap(({ table, method, path, requests, seconds }) =>
        limit({
          counter: "sc1",
          table,
          // Decoded, as the services read the path: otherwise another spelling would evade the limit.
          condition: `{ method ${method} } { path,url_dec -m str ${path} } ${outside}${hostCondition(route, path, routes)}`,
          requests,
          seconds,
          detail: `More than ${requests} requests of this kind (${method} ${path}) came from your address within ${seconds} seconds.`,
        }),
      ),
    ),
  ];
}

/** An answer costs more than closing a connection, and a client that ignores this many answers reads none. */
const FLOOD = 4;

/**
 * Returns the directives that close the connections of an address with {@link FLOOD} times as many requests as are allowed, and take no
 * new one until it has paused. The connections of a trusted proxy are those of many clients.
 */
function floodRules(requests: number, outside: string, proxies: readonly string[]): string[] {
  const flood = FLOOD * requests;
  return [
    `tcp-request connection reject if ${outside + notFromProxy(proxies)} { ${CLIENT},table_http_req_rate(public) gt ${flood} }`,
    `http-request reject if ${outside + notPassedOn(proxies)} { sc0_http_req_rate gt ${flood} }`,
  ];
}

interface Limit {
  /** Stick counter, one for the limit of all requests and one for the routes' own. */
  readonly counter: "sc0" | "sc1";
  /** Defaults to the frontend's own table. */
  readonly table?: string;
  /** Condition for the requests that count. */
  readonly condition: string;
  /** Most requests within {@link seconds}. */
  readonly requests: number;
  readonly seconds: number;
  /** Detail of the answer to a request beyond the limit. */
  readonly detail: string;
  /** Directives for a request that is counted already, before it is answered. Defaults to none. */
  readonly first?: readonly string[];
}

function limit(limit: Limit): string[] {
  const { counter, table, condition, requests, seconds, detail, first = [] } = limit;
  const rate = `${counter}_http_req_rate`;
  return [
    `http-request track-${counter} ${CLIENT}${table === undefined ? "" : ` table ${table}`} if ${condition}`,
    // Only the first refusal is logged: a flood is one line for each address.
    `http-request set-log-level silent if ${condition} { ${rate} gt ${requests + 1} }`,
    ...first,
    `${refuse(429, detail, { "retry-after": seconds.toString() })} if ${condition} { ${rate} gt ${requests} }`,
  ];
}

/** A route's own limits, each with a table of its own, because a table has one period. No service name contains a dot. */
function tableLimits({ service, rateLimits }: Route): (RateLimit & { readonly table: string })[] {
  return rateLimits.map((limit, index) => ({ ...limit, table: `${service}.limit.${index}` }));
}

export function limitTables(route: Route): string[] {
  return tableLimits(route).map(
    ({ table, seconds }) => `backend ${table}\n    stick-table ${stickTable(seconds)}`,
  );
}

/** Counts the requests of 100,000 addresses; a further one displaces the address that has been silent for longest. */
function stickTable(seconds: number): string {
  return `type ipv6 size 100k expire ${2 * seconds}s store http_req_rate(${seconds}s)`;
}
