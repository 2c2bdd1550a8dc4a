import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { drawFault, type Fault, type Profile } from "./faults.ts";
import { forwardRequest, readBody, respond, type Answer, type Message } from "./forwardRequest.ts";
import { classifyRequest, type Operation } from "./operations.ts";
import { seededRandom } from "./seededRandom.ts";

/** A call as recorded by the proxy. Times are in milliseconds since the epoch. */
export interface Call {
  /** Name of the calling replica, or "the network" for a duplicate that the proxy sent. */
  readonly caller: string;
  readonly service: string;
  readonly operation: Operation;
  /** The id in the path, or the idempotency key of a new order. */
  readonly id: string;
  readonly from: number;
  /** Time at which the caller got a response or closed the connection. */
  to: number | undefined;
  fault: Fault | undefined;
  servedBy: string | undefined;
  status: number | undefined;
  /** The response body. */
  answer: string | undefined;
}

export interface Upstream {
  readonly name: string;
  readonly port: number;
}

/** An action that runs once, at the next matching call. The caller gets no response. */
export interface Trap {
  readonly operation: Operation;
  /** before: the service never gets the call; late: it gets the call together with late calls; after: the call took effect. */
  readonly moment: "before" | "late" | "after";
  readonly matches?: (call: Call) => boolean;
  readonly spring: (call: Call) => void;
}

interface Options {
  readonly seed: number;
  readonly upstreams: (service: string) => readonly Upstream[];
  /** Returns an identifier of the call's order that is the same in a repeated run. */
  readonly subjectOf: (call: Call) => Promise<string>;
}

/** Range of a delay in milliseconds. The maximum exceeds the callers' timeouts. */
const DELAY_MS = { from: 20, to: 1_500 };
/** Range of the time until a late call in milliseconds. The maximum exceeds the lifetime of an order. */
const LATE_CALL_MS = { from: 300, to: 3_000 };
/** Interval and tolerance of the detection of stalls, in milliseconds. */
const WATCH_INTERVAL_MS = 50;
const STALL_MS = 150;

/** A proxy between callers and services that balances calls over the replicas and injects faults. */
export class FaultProxy {
  /** Faults of all operations. */
  profile: Profile = {};
  /** Faults of single operations, instead of `profile`. */
  profiles: Partial<Record<Operation, Profile>> = {};
  /** Rounds with another number meet other faults. */
  variant = 0;
  /** Late calls wait for this promise, if set, instead of a random time. */
  lateAfter: Promise<unknown> | undefined;
  /** All recorded calls. */
  readonly calls: Call[] = [];
  /** Periods (milliseconds since the epoch) in which this process was too busy to record times correctly. */
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
    let last = Date.now();
    this.#watch = setInterval(() => {
      const now = Date.now();
      if (now - last > WATCH_INTERVAL_MS + STALL_MS) this.stalls.push({ from: last, to: now });
      last = now;
    }, WATCH_INTERVAL_MS);
  }

  /** Returns a URL at which one caller reaches a service. Each caller has its own URL, which identifies it. */
  async addRoute(caller: string, service: string): Promise<string> {
    const server = createServer({ keepAliveTimeout: 60_000 }, (incoming, outgoing) => {
      this.#track(this.#pass(caller, service, incoming, outgoing));
    });
    this.#servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Sets a trap and returns a function that removes it. */
  setTrap(trap: Trap): () => void {
    this.#traps.add(trap);
    return () => this.#traps.delete(trap);
  }

  /** Resets the counts of attempts, so that a round meets the same faults wherever it is in a run. */
  resetAttempts(): void {
    this.#attempts.clear();
  }

  removeTraps(): void {
    this.#traps.clear();
  }

  /** Resolves when all calls, including late ones, have arrived. */
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
    // Emitted after a response and when either side closes the connection.
    outgoing.on("close", () => (call.to = Date.now()));
    outgoing.on("error", () => undefined);
    const body = await readBody(incoming).catch(() => undefined);
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
        respond(outgoing, { status: 503, headers: {}, body: Buffer.alloc(0) });
        return;
      case "delay":
        await pause(DELAY_MS);
        break;
      case "duplicate":
        this.#track(sendAgain());
        break;
      case "lateCall":
        this.#track((this.lateAfter ?? pause(LATE_CALL_MS)).then(sendAgain));
        break;
      case "dropResponse":
      case undefined:
    }
    const answered = await this.#send(call, message);
    if (this.#spring(call, "after") || call.fault === "dropResponse" || answered === undefined) {
      hangUp();
    } else respond(outgoing, answered);
  }

  /** Returns a name that is the same for the same call in a repeated run: operation, order and number of the attempt. */
  async #name(call: Call): Promise<string> {
    const subject = `${call.operation}/${await this.#options.subjectOf(call)}`;
    const attempt = this.#attempts.get(subject) ?? 0;
    this.#attempts.set(subject, attempt + 1);
    return `${subject}/${attempt}${this.variant === 0 ? "" : `/variant ${this.variant}`}`;
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

  /** Sends a call to the next replica that accepts connections, as the gateway does. Returns undefined if the connection breaks. */
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
        return await forwardRequest(upstream.port, message);
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
