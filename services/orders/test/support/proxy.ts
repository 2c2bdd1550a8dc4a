import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A step of the saga, derived from its call; "other" is everything else. */
export type Step =
  | "reserve"
  | "authorise"
  | "commit"
  | "capture"
  | "ship"
  | "release"
  | "void"
  | "changes"
  | "other";

/** A call that came to the proxy. */
export interface Call {
  readonly step: Step;
  readonly path: string;
  /** Identifies the order for a test. */
  readonly requestId: string;
  /** Time of arrival, in terms of performance.now(). */
  readonly at: number;
}

/** Handling of a call. `drop`: the service processes it and the answer is lost; `cut`: it never reaches the service. */
export type Fate = "forward" | "drop" | "cut" | Refusal;

/** An answer by the proxy itself. */
interface Refusal {
  readonly status: number;
  readonly type?: string;
  readonly detail?: string;
}

/** A proxy between orders and a service that injects faults. */
export class Proxy {
  /** All calls in order of arrival. */
  readonly calls: Call[] = [];
  /** Chooses the handling of each call. */
  fate: (call: Call) => Fate | Promise<Fate> = () => "forward";
  /** Calls that two workers made for one order at the same time. */
  readonly overlaps: Call[] = [];
  /** URL of the service; `undefined` while it is unreachable. */
  target: string | undefined;
  readonly #server = createServer(
    { keepAliveTimeout: 60_000 },
    (incoming, outgoing) => void this.#handle(incoming, outgoing),
  );
  readonly #underWay: Set<string>;

  /** @param underWay Requests of orders with a call under way: give the same to the proxies of all services. */
  constructor(underWay: Set<string>) {
    this.#underWay = underWay;
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
    const driving = call.step !== "other" && call.step !== "changes";
    if (driving && this.#underWay.has(call.requestId)) this.overlaps.push(call);
    if (driving) this.#underWay.add(call.requestId);
    this.calls.push(call);
    try {
      await this.#decide(call, incoming, outgoing);
    } catch {
      // The service is unreachable or the caller has disconnected.
      outgoing.destroy();
    } finally {
      if (driving) this.#underWay.delete(call.requestId);
    }
  }

  async #decide(call: Call, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming);
    const fate = await this.fate(call);
    if (typeof fate === "object") {
      const type = fate.type === undefined ? "about:blank" : `urn:store:problem:${fate.type}`;
      const { status, detail = "by the proxy" } = fate;
      outgoing
        .writeHead(status, { "content-type": "application/problem+json" })
        .end(JSON.stringify({ type, status, title: "", detail, instance: "" }));
      return;
    }
    if (fate === "cut" || this.target === undefined) {
      outgoing.destroy();
      return;
    }
    const sent = request(this.target + call.path, {
      method: incoming.method,
      headers: incoming.headers,
    }).end(body);
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    const content = await bodyOf(answer);
    if (fate === "drop") outgoing.destroy();
    else outgoing.writeHead(answer.statusCode ?? 500, answer.headers).end(content);
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  return Buffer.concat((await message.toArray()) as Buffer[]);
}

function stepOf(method: string, path: string): Step {
  const [, thing, action = method] =
    /^\/internal\/(reservations|payments|shipments)\/(?:[0-9a-f-]{36}\/?|changes)(\w+)?/.exec(
      path,
    ) ?? [];
  if (path.startsWith("/internal/shipments/changes")) return "changes";
  const steps: Record<string, Step> = {
    "reservations PUT": "reserve",
    "reservations commit": "commit",
    "reservations cancel": "release",
    "payments PUT": "authorise",
    "payments capture": "capture",
    "payments void": "void",
    "shipments PUT": "ship",
  };
  return steps[`${thing} ${action}`] ?? "other";
}
