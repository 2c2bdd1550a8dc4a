import { ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readState } from "./arm/cloud";
import { Resource, sameId } from "./arm/resourceType";
import { textAt } from "./arm/values";
import { Message, Ready, Settings } from "./settings";

/** Making the images for the first time takes minutes. */
const READY_LIMIT_MS = 15 * 60_000;
const END_LIMIT_MS = 60_000;

/** The process that plays Azure, seen from the one that started it. */
export class CloudProcess {
  private constructor(
    readonly folder: string,
    private readonly child: ChildProcess,
    readonly ready: Ready,
  ) {}

  /** @throws an error with what it said, if it ends before it is ready. */
  static async start(
    folder: string,
    settings: Settings,
    progress: (line: string) => void,
  ): Promise<CloudProcess> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(path.join(folder, "settings.json"), JSON.stringify(settings));
    const log = path.join(folder, "log");
    const output = openSync(log, "w");
    const child = spawn(
      process.execPath,
      ["--require", require.resolve("tsx/cjs"), path.join(__dirname, "main.ts"), folder],
      // A group of its own: a Ctrl-C at the terminal is for us, and we end it when it isn't needed any more. By the channel it
      // also notices when we are killed.
      { detached: true, stdio: ["ignore", output, output, "ipc"] },
    );
    const file = path.join(folder, "ready.json");
    const deadline = Date.now() + READY_LIMIT_MS;
    let said = "";
    while (!existsSync(file)) {
      const text = readFileSync(log, "utf8");
      const line = text.trim().split("\n").at(-1) ?? "";
      if (line !== said) progress(line);
      said = line;
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(text.trim() || "The process that plays Azure ended without a word.");
      }
      if (Date.now() > deadline)
        throw new Error(
          `The stand-in cloud isn't ready within ${READY_LIMIT_MS / 60_000} min: ${line}`,
        );
      await sleep(100);
    }
    return new CloudProcess(folder, child, JSON.parse(readFileSync(file, "utf8")) as Ready);
  }

  /** What must be set for an engine that is to take it for Azure. */
  get env(): Record<string, string> {
    return {
      PULUMI_DEBUG_PROVIDERS: `azure-native:${this.ready.port}`,
      STORE_REHEARSAL_AZ: this.ready.az,
      PATH: [path.join(__dirname, "azureCli"), process.env["PATH"]].join(path.delimiter),
    };
  }

  /** All that there is in it now. */
  resources(): readonly Resource[] {
    return readState(path.join(this.folder, "cloud.json"));
  }

  /** The address that plays the public IP; none before there is one. */
  publicAddress(): string | undefined {
    if (this.ready.machine !== undefined) return this.ready.machine.address;
    const address = this.resources().find(({ token }) => token.endsWith(":PublicIPAddress"));
    return address && textAt(address.computed, "ipAddress");
  }

  breakBy(fault: string): void {
    writeFileSync(path.join(this.folder, "faults"), fault);
  }

  mend(): void {
    rmSync(path.join(this.folder, "faults"), { force: true });
  }

  /** Deletes the only resource of a type as somebody would in Azure's portal: behind the engine's back, with all that is in it. */
  async deleteByHand(type: string): Promise<void> {
    const id = this.resources().find(({ token }) => token === type)?.id;
    if (id === undefined) throw new Error(`The cloud has no ${type} that could be deleted.`);
    this.tell({ deleteByHand: id });
    const deadline = Date.now() + END_LIMIT_MS;
    while (this.resources().some((resource) => sameId(resource.id, id))) {
      if (Date.now() > deadline)
        throw new Error(`${id} isn't gone within ${END_LIMIT_MS / 1000} s.`);
      await sleep(100);
    }
  }

  /** Leaves it to itself: it goes on when we end. */
  letGo(): void {
    this.tell({ keep: true });
    this.child.disconnect();
    this.child.unref();
  }

  private tell(message: Message): void {
    this.child.send(message);
  }

  /** Ends it, and with it all that it has made. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => this.child.once("close", () => resolve()));
    this.child.kill("SIGTERM");
    await Promise.race([ended, sleep(END_LIMIT_MS, undefined, { ref: false })]);
    this.child.kill("SIGKILL");
  }
}
