import { startService, until, type RunningService } from "@store/kit/testing";
import type { Upstream } from "../proxy/faultProxy.ts";

/** Configuration with which a replica is started and restarted. */
export interface ReplicaSetting {
  readonly name: string;
  readonly service: string;
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
}

/** A replica of a service that can be killed, paused and restarted on the same port. */
export class Replica implements Upstream {
  readonly name: string;
  readonly service: string;
  readonly port: number;
  /** Periods (milliseconds since the epoch) in which the process was stopped by SIGSTOP. The last one may have no end. */
  readonly pauses: { readonly from: number; to: number | undefined }[] = [];
  readonly #setting: ReplicaSetting;
  #folder: string | undefined;
  #running: RunningService | undefined;
  /** The logs of the current and all earlier processes. */
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

  /** Starts the replica, from the sources in `folder` if given. Resolves when it is ready. */
  async start(folder?: string): Promise<void> {
    this.#folder = folder;
    const { service, port, environment } = this.#setting;
    const running = await startService(
      service,
      { ...environment, PORT: String(port) },
      folder === undefined ? {} : { folder },
    );
    this.#running = running;
    this.#unexpectedExit = undefined;
    this.#logs.push(running.log);
    const ended = running.exited.then((code) => {
      const log = running.log.map((line) => JSON.stringify(line)).join("\n");
      const error = new Error(`${this.name} ended with ${code}:\n${log}`);
      if (this.#running === running) this.#unexpectedExit = error;
      throw error;
    });
    // Prevents an unhandled rejection when the process ends later.
    ended.catch(() => undefined);
    await Promise.race([this.ready(), ended]);
  }

  /** Kills the process (SIGKILL). */
  kill(): void {
    const killed = this.#running;
    if (killed === undefined) return;
    this.resume();
    killed.process.kill("SIGKILL");
    this.#ended = killed.exited;
    this.#running = undefined;
  }

  #ended: Promise<unknown> = Promise.resolve();

  /** Restarts the replica unless it is running. Returns true if this call restarted it. */
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

  /** @throws Error with the replica's log if it has ended unexpectedly. */
  async ready(): Promise<void> {
    const answers = () => {
      if (this.#unexpectedExit !== undefined) throw this.#unexpectedExit;
      return fetch(`${this.url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    };
    await until(`${this.name} is ready`, answers);
  }

  /** Set if the process has ended without being killed. */
  #unexpectedExit: Error | undefined;

  async stop(): Promise<void> {
    // Waits for a restart in progress, so that its process is stopped too.
    await this.#reviving?.catch(() => undefined);
    this.kill();
    await this.#ended;
  }
}
