import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A step of the saga, derived from its call; "other" is everything else. */
export type Step =
  | "validate"
  | "reserve"
  | "authorise"
  | "commit"
  | "capture"
  | "ship"
  | "release"
  | "void"
  | "return"
  | "unship"
  | "refund"
  | "changes"
  | "other";

/** Steps of an order that succeeds, in their order. */
export const FORWARD_STEPS: readonly Step[] = [
  "validate",
  "reserve",
  "authorise",
  "commit",
  "capture",
  "ship",
];

/** A call that came to the proxy. */
export interface Call {
  readonly step: Step;
  readonly path: string;
  /** Identifies the order for a test. */
  readonly requestId: string;
  /** Time of arrival, in terms of performance.now(). */
  readonly at: number;
}

/** Handling of a call. dropRequest: the call never reaches the service; dropResponse: the service processes the call, but its response is lost. */
export type Handling = "forward" | "dropRequest" | "dropResponse" | Refusal;

/** A response by the proxy itself. */
interface Refusal {
  readonly status: number;
  readonly type?: string;
  readonly detail?: string;
}

/** A proxy between orders and a service that injects faults. */
export class FaultProxy {
  /** All calls in order of arrival. */
  readonly calls: Call[] = [];
  /** Chooses the handling of each call. */
  handle: (call: Call) => Handling | Promise<Handling> = () => "forward";
  /** Calls for an order that arrived while another call for the same order was open. */
  readonly overlaps: Call[] = [];
  /** URL of the service; `undefined` while it is unreachable. */
  target: string | undefined;
  readonly #server = createServer(
    { keepAliveTimeout: 60_000 },
    (incoming, outgoing) => void this.#handle(incoming, outgoing),
  );
  readonly #openCalls: Set<string>;

  /** @param openCalls Request IDs of the orders with an open call. All proxies share one set. */
  constructor(openCalls: Set<string>) {
    this.#openCalls = openCalls;
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { url: path = "", method = "" } = incoming;
    const call = {
      step: stepOf(method, path),
      path,
      requestId: String(incoming.headers["x-request-id"]),
      at: performance.now(),
    };
    const isSagaStep = call.step !== "other" && call.step !== "changes";
    if (isSagaStep && this.#openCalls.has(call.requestId)) this.overlaps.push(call);
    if (isSagaStep) this.#openCalls.add(call.requestId);
    this.calls.push(call);
    try {
      await this.#respond(call, incoming, outgoing);
    } catch {
      // The service is unreachable or the caller has disconnected.
      outgoing.destroy();
    } finally {
      if (isSagaStep) this.#openCalls.delete(call.requestId);
    }
  }

  async #respond(call: Call, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming);
    const handling = await this.handle(call);
    if (typeof handling === "object") {
      const type =
        handling.type === undefined ? "about:blank" : `urn:store:problem:${handling.type}`;
      const { status, detail = "by the proxy" } = handling;
      outgoing
        .writeHead(status, { "content-type": "application/problem+json" })
        .end(JSON.stringify({ type, status, title: "", detail, instance: "" }));
      return;
    }
    if (handling === "dropRequest" || this.target === undefined) {
      outgoing.destroy();
      return;
    }
    const sent = request(this.target + call.path, {
      method: incoming.method,
      headers: incoming.headers,
    }).end(body);
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    const content = await bodyOf(answer);
    if (handling === "dropResponse") outgoing.destroy();
    else outgoing.writeHead(answer.statusCode ?? 500, answer.headers).end(content);
  }
}

/** Returns a handling that the test decides on later. A call waits for it. */
export function undecidedHandling(): {
  readonly handling: Promise<Handling>;
  readonly decide: (handling: Handling) => void;
} {
  let decide: (handling: Handling) => void = () => undefined;
  const handling = new Promise<Handling>((resolve) => (decide = resolve));
  return { handling, decide: (decision) => decide(decision) };
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  return Buffer.concat((await message.toArray()) as Buffer[]);
}

function stepOf(method: string, path: string): Step {
  const [, resource, action = method] =
    /^\/internal\/(reservations|payments|shipments)\/(?:[0-9a-f-]{36}\/?|changes)(\w+)?/.exec(
      path,
    ) ?? [];
  if (/^\/internal\/(shipments|payments)\/changes/.test(path)) return "changes";
  const steps: Record<string, Step> = {
    "reservations PUT": "reserve",
    "reservations commit": "commit",
    "reservations cancel": "release",
    "reservations return": "return",
    "payments validate": "validate",
    "payments PUT": "authorise",
    "payments capture": "capture",
    "payments void": "void",
    "shipments PUT": "ship",
    "shipments cancel": "unship",
    "payments refund": "refund",
  };
  return steps[`${resource} ${action}`] ?? "other";
}
