import { once } from "node:events";
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { classifyRequest, type Operation } from "./operations.ts";
import { seededRandom } from "./seededRandom.ts";

/**
 * What can happen to a call on its way.
 * dropRequest: the connection closes before the service has seen it; dropAnswer: after it took effect; unavailable: 503 without
 * the service having seen it; delay: it comes late, maybe after its caller has given up; duplicate: it comes twice at once;
 * lateCall: it comes again, when everything may have changed.
 */
export const faults = [
  "dropRequest",
  "dropAnswer",
  "unavailable",
  "delay",
  "duplicate",
  "lateCall",
] as const;
export type Fault = (typeof faults)[number];

/** The share of the calls, from 0 to 1, that each fault happens to. */
export type Profile = Readonly<Partial<Record<Fault, number>>>;

/** A call as it was seen from here. Times are in milliseconds. */
export interface Call {
  /** "the network": one that the proxy sent again. */
  readonly caller: string;
  readonly service: string;
  readonly operation: Operation;
  /** The one in its path; the idempotency key of a new order. */
  readonly id: string;
  readonly from: number;
  /** When its caller had an answer or had hung up. */
  to: number | undefined;
  fault: Fault | undefined;
  servedBy: string | undefined;
  status: number | undefined;
  /** What the answer was, as it came. */
  answer: string | undefined;
}

export interface Upstream {
  readonly name: string;
  readonly port: number;
}

/** Something that is done once, when a call comes by. Its caller gets no answer. */
export interface Trap {
  readonly operation: Operation;
  /** before: the service never sees the call; late: not until late calls arrive; after: it took effect. */
  readonly moment: "before" | "late" | "after";
  readonly matches?: (call: Call) => boolean;
  readonly spring: (call: Call) => void;
}

interface Options {
  readonly seed: number;
  readonly upstreams: (service: string) => readonly Upstream[];
  /** What a call is about, in words that are the same when the run is repeated. */
  readonly subjectOf: (call: Call) => Promise<string>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Milliseconds. The delay goes beyond what the callers in the tests wait; a late call beyond the whole life of an order. */
const DELAY = { from: 20, to: 1_500 };
const LATE = { from: 300, to: 3_000 };
const WATCH_MS = 50;
const BLACKOUT_MS = 150;
/** Longer than any caller waits: a stopped process that goes on finds the request, as it would in production. */
const UPSTREAM_MS = 20_000;

/** Stands between callers and services: shares the calls out over the replicas, and does to them what networks do. */
export class FaultProxy {
  profile: Profile = {};
  /** Of single operations, where they differ. */
  profiles: Partial<Record<Operation, Profile>> = {};
  /** What late calls wait for, instead of some time. */
  lateAfter: Promise<unknown> | undefined;
  readonly calls: Call[] = [];
  /** Spans of time (milliseconds) in which this process was too busy to see when what happened. */
  readonly stalls: { readonly from: number; readonly to: number }[] = [];
  readonly #watch: NodeJS.Timeout;
  readonly #options: Options;
  readonly #servers: Server[] = [];
  readonly #traps = new Set<Trap>();
  readonly #attempts = new Map<string, number>();
  readonly #turns = new Map<string, number>();
  readonly #pending = new Set<Promise<unknown>>();

  constructor(options: Options) {
    this.#options = options;
    let seen = Date.now();
    this.#watch = setInterval(() => {
      const now = Date.now();
      if (now - seen > WATCH_MS + BLACKOUT_MS) this.stalls.push({ from: seen, to: now });
      seen = now;
    }, WATCH_MS);
  }

  /** The URL under which one caller reaches a service: each has its own, so that it is known who calls. */
  async addRoute(caller: string, service: string): Promise<string> {
    const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
      this.#track(this.#pass(caller, service, incoming, outgoing));
    });
    this.#servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Sets a trap; what it gives takes it away again. */
  setTrap(trap: Trap): () => void {
    this.#traps.add(trap);
    return () => this.#traps.delete(trap);
  }

  /** Forgets how often what was asked for, so that what follows meets the same faults wherever it stands in a run. */
  resetAttempts(): void {
    this.#attempts.clear();
  }

  removeTraps(): void {
    this.#traps.clear();
  }

  /** Resolves when everything that is on its way has arrived, late calls too. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  async close(): Promise<void> {
    clearInterval(this.#watch);
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
    await this.settled();
  }

  async #pass(
    caller: string,
    service: string,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): Promise<void> {
    const { method = "", url: path = "" } = incoming;
    const { operation, id } = classifyRequest(method, path);
    const key = incoming.headers["idempotency-key"];
    const call = this.#note({
      ...{ caller, service, operation },
      id: operation === "place" ? String(key) : id,
    });
    // However it ends: answered, or either side has hung up.
    outgoing.on("close", () => (call.to = Date.now()));
    outgoing.on("error", () => undefined);
    const body = await read(incoming).catch(() => undefined);
    if (body === undefined) return;
    const message = { method, path, headers: incoming.headers, body };
    const sendAgain = async () => {
      const again = this.#note({ ...call, caller: "the network" });
      await this.#send(again, message);
      again.to = Date.now();
    };
    const hangUp = () => void incoming.socket.destroy();

    if (this.#spring(call, "before")) {
      hangUp();
      return;
    }
    if (this.#spring(call, "late")) {
      this.#track(Promise.resolve(this.lateAfter).then(sendAgain));
      hangUp();
      return;
    }
    const name = await this.#name(call);
    const profile = this.profiles[operation] ?? this.profile;
    call.fault = drawFault(profile, this.#options.seed, name);
    const pause = ({ from, to }: { from: number; to: number }) =>
      delay(from + seededRandom(this.#options.seed, `${name}/pause`) * (to - from));
    switch (call.fault) {
      case "dropRequest":
        hangUp();
        return;
      case "unavailable":
        answer(outgoing, { status: 503, headers: {}, body: Buffer.alloc(0) });
        return;
      case "delay":
        await pause(DELAY);
        break;
      case "duplicate":
        this.#track(sendAgain());
        break;
      case "lateCall":
        this.#track((this.lateAfter ?? pause(LATE)).then(sendAgain));
        break;
      case "dropAnswer":
      case undefined:
    }
    const answered = await this.#send(call, message);
    if (this.#spring(call, "after") || call.fault === "dropAnswer" || answered === undefined) {
      hangUp();
    } else answer(outgoing, answered);
  }

  /** The same for the same call of a repeated run: what it is about, and how often that was asked before. */
  async #name(call: Call): Promise<string> {
    const subject = `${call.operation}/${await this.#options.subjectOf(call)}`;
    const attempt = this.#attempts.get(subject) ?? 0;
    this.#attempts.set(subject, attempt + 1);
    return `${subject}/${attempt}`;
  }

  #spring(call: Call, moment: Trap["moment"]): boolean {
    for (const trap of this.#traps) {
      if (trap.operation !== call.operation || trap.moment !== moment) continue;
      if (trap.matches !== undefined && !trap.matches(call)) continue;
      this.#traps.delete(trap);
      trap.spring(call);
      return true;
    }
    return false;
  }

  #note(call: Pick<Call, "caller" | "service" | "operation" | "id">): Call {
    const { caller, service, operation, id } = call;
    const noted: Call = {
      ...{ caller, service, operation, id, from: Date.now() },
      ...{ to: undefined, fault: undefined },
      ...{ servedBy: undefined, status: undefined, answer: undefined },
    };
    this.calls.push(noted);
    return noted;
  }

  /** To the next replica that takes connections, as the gateway does. Gives nothing when it breaks off. */
  async #send(call: Call, message: Message): Promise<Answer | undefined> {
    const answered = await this.#balance(call, message).catch(() => undefined);
    call.status = answered?.status;
    call.answer = answered?.body.toString();
    return answered;
  }

  async #balance(call: Call, message: Message): Promise<Answer> {
    const upstreams = this.#options.upstreams(call.service);
    const turn = this.#turns.get(call.service) ?? 0;
    this.#turns.set(call.service, turn + 1);
    for (let n = 0; n < upstreams.length; n++) {
      const upstream = upstreams[(turn + n) % upstreams.length];
      if (upstream === undefined) break;
      try {
        call.servedBy = upstream.name;
        return await exchange(upstream.port, message);
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ECONNREFUSED"))
          throw error;
      }
    }
    return { status: 503, headers: {}, body: Buffer.alloc(0) };
  }

  #track(work: Promise<unknown>): void {
    this.#pending.add(work);
    void work.finally(() => this.#pending.delete(work));
  }
}

/** Which fault happens to the call of that name, if any. */
export function drawFault(profile: Profile, seed: number, name: string): Fault | undefined {
  let left = seededRandom(seed, name);
  for (const fault of faults) {
    left -= profile[fault] ?? 0;
    if (left < 0) return fault;
  }
  return undefined;
}

interface Message {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function exchange(port: number, { method, path, headers, body }: Message): Promise<Answer> {
  const outgoing = request({
    ...{ host: "127.0.0.1", port, method, path, agent: false, timeout: UPSTREAM_MS },
    headers: {
      ...ownHeaders(headers),
      ...(body.length === 0 ? {} : { "content-length": body.length }),
    },
  });
  outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer in ${UPSTREAM_MS} ms`)));
  outgoing.end(body);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return {
    status: response.statusCode ?? 0,
    headers: ownHeaders(response.headers),
    body: await read(response),
  };
}

function answer(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  outgoing.writeHead(status, { ...headers, "content-length": body.length });
  outgoing.end(body);
}

/** Without those that belong to a connection. */
function ownHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)));
}

const hopByHop = new Set(
  "connection host keep-alive transfer-encoding content-length expect".split(" "),
);

async function read(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
