import assert from "node:assert/strict";
import { createDatabase, type TestDatabase } from "./postgres.ts";
import { startService, type RunningService } from "./service.ts";
import { createStaff, type TestStaff } from "./staff.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON body. Each test checks the fields that it expects. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Replicas of a service, as processes that share one database. Requests go to the replicas in turn. */
export class Replicas {
  readonly name: string;
  readonly database: TestDatabase;
  readonly staff: TestStaff;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #running: RunningService[] = [];
  #turn = 0;

  private constructor(
    name: string,
    database: TestDatabase,
    environment: Readonly<Record<string, string>>,
  ) {
    this.name = name;
    this.database = database;
    this.staff = createStaff();
    this.#environment = environment;
  }

  static async start(
    name: string,
    count: number,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Replicas> {
    const replicas = new Replicas(name, await createDatabase(), environment);
    await Promise.all(Array.from({ length: count }, () => replicas.add()));
    return replicas;
  }

  get running(): readonly RunningService[] {
    return this.#running;
  }

  /** Starts another replica. */
  async add(): Promise<RunningService> {
    const replica = await startService(this.name, {
      ...this.database.environment,
      ...this.staff.environment,
      ...this.#environment,
    });
    this.#running.push(replica);
    await replica.ready();
    return replica;
  }

  /** Kills a replica (SIGKILL), so that it can't clean up. */
  async kill(replica: RunningService): Promise<void> {
    this.#running.splice(this.#running.indexOf(replica), 1);
    await replica.stop("SIGKILL");
  }

  async stop(): Promise<void> {
    const codes = await Promise.all(this.#running.map((replica) => replica.stop()));
    assert.deepEqual(new Set(codes), new Set([0]));
  }

  /** Sends a request to the given replica, by default the next one, and returns the response with its JSON body. */
  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
    replica = this.#next(),
  ): Promise<Answer> {
    const response = await replica.fetch(path, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Answer["body"],
    };
  }

  /** Sends a request with the staff token. */
  asStaff(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    return this.send(method, path, body, { ...this.staff.headers, ...headers });
  }

  #next(): RunningService {
    return this.#running[this.#turn++ % this.#running.length] ?? assert.fail("no replica runs");
  }
}

/** Returns the last part of the problem type, such as "out-of-stock". */
export function problemType({ body }: Answer): string | undefined {
  const { type } = body;
  return typeof type === "string" ? type.replace("urn:store:problem:", "") : undefined;
}

/** Summarizes a response: the resource's status after success, otherwise the problem type or the HTTP status. */
export function outcome(answer: Answer): unknown {
  if (answer.status < 400) return answer.body["status"];
  const type = problemType(answer);
  return type === undefined || type === "about:blank" ? answer.status : type;
}
