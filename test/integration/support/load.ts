import { Agent, get, IncomingMessage } from "node:http";

/** Longer than the 30 s within which the gateway answers every request. */
const TIMEOUT_SECONDS = 35;

/** Result of a load. */
export interface LoadResult {
  readonly requests: number;
  /** One line for each failed request. */
  readonly failures: readonly string[];
  /** Longest time between two responses, in milliseconds. */
  readonly longestGapMs: number;
}

/** Concurrent clients that request a URL repeatedly until `stop`; each sends its next request after the previous response. */
export class Load {
  private readonly agent = new Agent({ keepAlive: true });
  private readonly failures: string[] = [];
  private readonly clients: Promise<void>[];
  private requests = 0;
  private longestGapMs = 0;
  private lastAnswer = Date.now();
  private stopped = false;

  private constructor(
    private readonly url: string,
    clients: number,
  ) {
    this.clients = Array.from({ length: clients }, () => this.ask());
  }

  static on(url: string, clients = 4): Load {
    return new Load(url, clients);
  }

  async stop(): Promise<LoadResult> {
    this.stopped = true;
    await Promise.all(this.clients);
    this.agent.destroy();
    return { requests: this.requests, failures: this.failures, longestGapMs: this.longestGapMs };
  }

  private async ask(): Promise<void> {
    while (!this.stopped) {
      const problem = await this.request();
      this.requests += 1;
      const now = Date.now();
      this.longestGapMs = Math.max(this.longestGapMs, now - this.lastAnswer);
      this.lastAnswer = now;
      if (problem !== undefined) this.failures.push(`${new Date(now).toISOString()} ${problem}`);
      // Leave CPU time for the tested system: 10 ms means at most 400 requests/s from 4 clients.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  private request(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const request = get(
        this.url,
        { agent: this.agent, timeout: TIMEOUT_SECONDS * 1_000 },
        (response) => {
          let body = "";
          response.setEncoding("utf8").on("data", (text: string) => (body += text));
          response.on("end", () =>
            resolve(response.statusCode === 200 ? undefined : problemOf(response, body)),
          );
          response.on("error", (error) => resolve(error.message));
        },
      );
      request.on("timeout", () =>
        request.destroy(new Error(`no response within ${TIMEOUT_SECONDS} s`)),
      );
      request.on("error", (error) => resolve(error.message));
    });
  }
}

/** Describes a response other than 200, so that the test's output tells which part of the store refused the request, and why. */
function problemOf({ statusCode, headers }: IncomingMessage, body: string): string {
  return `status ${statusCode}, request ${String(headers["x-request-id"])}: ${body.slice(0, 500)}`;
}
