import { startService, until, type RunningService } from "@store/kit/testing";
import type { Upstream } from "./faultProxy.ts";

/** How a replica is started, each time anew. */
export interface ReplicaSetting {
  readonly name: string;
  readonly service: string;
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
}

/** One of the processes of a service. Killed, it comes back at the same port. */
export class Replica implements Upstream {
  readonly name: string;
  readonly service: string;
  readonly port: number;
  /** Spans of time (milliseconds) in which it was stopped by SIGSTOP; the last one may be without an end. */
  readonly pauses: { readonly from: number; to: number | undefined }[] = [];
  readonly #setting: ReplicaSetting;
  #folder: string | undefined;
  #running: RunningService | undefined;
  /** The logs of those before. */
  readonly #logs: RunningService["log"][] = [];

  constructor(setting: ReplicaSetting) {
    this.name = setting.name;
    this.service = setting.service;
    this.port = setting.port;
    this.#setting = setting;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  get isPaused(): boolean {
    return this.pauses.some(({ to }) => to === undefined);
  }

  get log(): RunningService["log"] {
    return this.#logs.flat();
  }

  /** Starts it, from the sources in `folder` if that is given. Resolves when it serves. */
  async start(folder?: string): Promise<void> {
    this.#folder = folder;
    const { service, port, environment } = this.#setting;
    const running = await startService(
      service,
      { ...environment, PORT: String(port) },
      folder === undefined ? {} : { folder },
    );
    this.#running = running;
    this.#fallen = undefined;
    this.#logs.push(running.log);
    const ended = running.exited.then((code) => {
      const log = running.log.map((line) => JSON.stringify(line)).join("\n");
      const error = new Error(`${this.name} ended with ${code}:\n${log}`);
      if (this.#running === running) this.#fallen = error;
      throw error;
    });
    // It ends some day, when nobody listens to this any more.
    ended.catch(() => undefined);
    await Promise.race([this.ready(), ended]);
  }

  /** kill -9, at this moment. */
  kill(): void {
    const killed = this.#running;
    if (killed === undefined) return;
    this.resume();
    killed.process.kill("SIGKILL");
    this.#ended = killed.exited;
    this.#running = undefined;
  }

  #ended: Promise<unknown> = Promise.resolve();

  /** Starts it again, unless it runs or is being started already. Gives whether there was need. */
  async revive(): Promise<boolean> {
    if (this.isRunning) return false;
    const first = this.#reviving === undefined;
    this.#reviving ??= this.#ended
      .then(() => this.start(this.#folder))
      .finally(() => (this.#reviving = undefined));
    await this.#reviving;
    return first;
  }

  #reviving: Promise<void> | undefined;

  pause(): void {
    if (this.#running === undefined || this.isPaused) return;
    this.#running.process.kill("SIGSTOP");
    this.pauses.push({ from: Date.now(), to: undefined });
  }

  resume(): void {
    const pause = this.pauses.find(({ to }) => to === undefined);
    if (pause === undefined) return;
    pause.to = Date.now();
    this.#running?.process.kill("SIGCONT");
  }

  /** @throws Error with its log, if it has ended and nobody here did that. */
  async ready(): Promise<void> {
    const answers = () => {
      if (this.#fallen !== undefined) throw this.#fallen;
      return fetch(`${this.url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    };
    await until(`${this.name} is ready`, answers, 60);
  }

  /** Why it doesn't run although nobody here has ended it. */
  #fallen: Error | undefined;

  async stop(): Promise<void> {
    // One that is on its way up is there to be stopped afterwards.
    await this.#reviving?.catch(() => undefined);
    this.kill();
    await this.#ended;
  }
}
