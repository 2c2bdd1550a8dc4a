import assert from "node:assert/strict";
import { spawn, ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePort } from "@store/cli/devServices/freePort";
import { stringify } from "yaml";
import type { Load, LoadResult } from "./load";
import { duringUp, untilNoOtherUp } from "./runningUps";
import { copyCommit } from "../../support/commit";
import { run } from "../../support/run";
import { copyWorkspace, environmentOf, CommandResult } from "../../support/workspace";

const REPOSITORY = resolve(__dirname, "../../..");

/**
 * A copy of the repository with its own stack, state and port, in which tests run `./store` as a user would, and may change sources.
 * `dispose` removes everything, even after a failed test.
 */
export class TestStore {
  private readonly formerNames: string[] = [];

  private constructor(
    readonly folder: string,
    public stack: string,
    readonly port: number,
    private readonly site: TestSite,
  ) {}

  /** @param site Defaults to this process's environment. */
  static async create(
    config: Readonly<Record<string, unknown>> = {},
    site: TestSite = {},
  ): Promise<TestStore> {
    const stack = `test${randomBytes(4).toString("hex")}`;
    const folder = mkdtempSync(join(tmpdir(), `${site.folderName ?? "store"}-${stack}-`));
    try {
      if (site.commit === undefined) await copyWorkspace(REPOSITORY, folder);
      else await copyCommit(REPOSITORY, site.commit, folder);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
    const store = new TestStore(folder, stack, await freePort(), site);
    store.configure(config);
    await site.prepare?.(folder);
    return store;
  }

  /** Creates another checkout with a stack of the same name, whose state is its own. The caller disposes it, too. */
  async secondCheckout(config: Readonly<Record<string, unknown>> = {}): Promise<TestStore> {
    const folder = mkdtempSync(join(tmpdir(), `store-${this.stack}-second-`));
    await copyWorkspace(REPOSITORY, folder);
    const second = new TestStore(folder, this.stack, await freePort(), this.site);
    second.configure(config);
    return second;
  }

  /** Renames the stack by `./store pulumi stack rename`. */
  async rename(name: string): Promise<void> {
    await this.pulumi("stack", "rename", name);
    this.formerNames.push(this.stack);
    this.stack = name;
  }

  /** Replaces the stack's configuration file. */
  configure(config: Readonly<Record<string, unknown>>): void {
    // Tests send more requests from one IP address than the limit allows.
    const keys = { httpPort: this.port, demoData: true, requestLimit: 0, ...config };
    const entries = Object.entries(keys).map(([key, value]) => [`store:${key}`, value]);
    this.write(
      `Pulumi.${this.stack}.yaml`,
      stringify({ config: Object.fromEntries(entries) as unknown }),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  read(file: string): string {
    return readFileSync(join(this.folder, file), "utf8");
  }

  /** Returns the concatenated content of all files in a folder. */
  readAll(folder: string): string {
    return readdirSync(join(this.folder, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
      .join("\n");
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  /** Replaces a text in a file. Fails the test if the file doesn't contain it. */
  edit(file: string, from: string, to: string): void {
    const text = this.read(file);
    assert.ok(text.includes(from), `${file} has no "${from}"`);
    this.write(file, text.replace(from, to));
  }

  /** Runs `./store COMMAND STACK ARGS…`. */
  run(command: string, ...args: string[]): Promise<CommandResult> {
    return this.command("./store", command, this.stack, ...args);
  }

  /** Runs `./store COMMAND STACK ARGS…`. Fails the test with the output if the command fails. @returns the output. */
  async succeed(command: string, ...args: string[]): Promise<string> {
    const { code, output } = await this.run(command, ...args);
    assert.equal(
      code,
      0,
      `./store ${command} ${this.stack} ${args.join(" ")} ended with ${code}:\n${output}`,
    );
    return output;
  }

  /** Starts `./store COMMAND STACK ARGS…` in a process group of its own, like a terminal. */
  start(
    command: string,
    environment: Readonly<Record<string, string>> = {},
    ...args: readonly string[]
  ): RunningCommand {
    const process = spawn("./store", [command, this.stack, ...args], {
      cwd: this.folder,
      env: { ...this.environment, ...environment },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    process.stdout.on("data", (data: Buffer) => (output += data.toString()));
    process.stderr.on("data", (data: Buffer) => (output += data.toString()));
    const ended = new Promise<CommandResult>((done) =>
      process.on("close", (code) => done({ code: code ?? -1, output })),
    );
    return { process, ended, output: () => output };
  }

  /** Runs `./store pulumi ARGS…` on this stack. @returns the output. */
  async pulumi(...args: string[]): Promise<string> {
    const { code, output } = await run(
      "./store",
      ["pulumi", ...args, "--stack", this.stack],
      this.folder,
      this.environment,
    );
    assert.equal(code, 0, output);
    return output;
  }

  /** Runs a program in the workspace. */
  async command(program: string, ...args: string[]): Promise<CommandResult> {
    const [first = program, ...rest] = [...(this.site.prefix ?? []), program, ...args];
    const start = () => run(first, rest, this.folder, this.environment);
    const command = program === "./store" ? args[0] : undefined;
    if (command === "up") return duringUp(start);
    if (command === "down") await untilNoOtherUp();
    return start();
  }

  /** Returns the JSON at a path of the store. Fails the test unless the status is 200. */
  async json<T>(path: string, headers: Record<string, string> = {}): Promise<T> {
    const answer = await fetch(this.url + path, { headers });
    assert.equal(answer.status, 200, path);
    return (await answer.json()) as T;
  }

  /** Runs a command in a container. Fails the test with the output if the command fails. @returns the output. */
  async exec(container: ContainerKey, ...command: string[]): Promise<string> {
    const { code, output } = await run("docker", ["exec", await this.idOf(container), ...command]);
    assert.equal(code, 0, output);
    return output;
  }

  /** Returns the ID of a running container. Fails the test if there is none. */
  async idOf(container: ContainerKey): Promise<string> {
    const id = (await this.running()).get(container);
    assert.ok(id, `${container} doesn't run`);
    return id;
  }

  /** Returns the stack's containers that match the filters of `docker ps`. */
  async containers(...filters: string[]): Promise<Container[]> {
    const args = [
      "ps",
      "--all",
      "--no-trunc",
      "--format",
      "{{json .}}",
      "--filter",
      `label=dev.store.stack=${this.stack}`,
    ];
    const { output } = await this.command(
      "docker",
      ...args,
      ...filters.flatMap((filter) => ["--filter", filter]),
    );
    return output
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const row = JSON.parse(line) as {
          ID: string;
          Names: string;
          State: string;
          Status: string;
          Labels: string;
        };
        const labels = Object.fromEntries(
          row.Labels.split(",").map((label) => label.split("=", 2) as [string, string]),
        );
        return {
          id: row.ID,
          name: row.Names,
          state: row.State,
          status: row.Status,
          role: labels["dev.store.role"] ?? "",
          service: labels["dev.store.service"] ?? "",
        };
      });
  }

  /**
   * Ends a load. Fails the test if a request failed, with the logs' lines about failures and about instances that the gateway stopped
   * using.
   */
  async assertNoneLost(load: Load): Promise<LoadResult> {
    const result = await load.stop();
    if (result.failures.length === 0) return result;
    const logs = [...(await this.running())].map(async ([key, id]) => {
      const { output } = await run("docker", ["logs", "--timestamps", id]);
      const lines = output
        .split("\n")
        .filter((line) =>
          /DOWN|UP|WARNING|ALERT|ERROR|FATAL|"status": ?5|"(warn|error)"/.test(line),
        );
      return [`log of ${key}:`, ...lines.slice(key.startsWith("gateway") ? -20 : -5)];
    });
    return assert.fail(
      [`${result.failures.length} of ${result.requests} requests failed:`, ...result.failures]
        .concat(...(await Promise.all(logs)))
        .join("\n"),
    );
  }

  /** Returns the IDs of the running containers. */
  async running(): Promise<Map<ContainerKey, string>> {
    const containers = await this.containers("status=running");
    return new Map(containers.map(({ service, role, id }) => [`${service}/${role}` as const, id]));
  }

  /** Returns the containers, networks and volumes that Docker has of this stack. */
  async left(stack = this.stack): Promise<string[]> {
    const filter = ["--filter", `label=dev.store.stack=${stack}`, "--format"];
    const listed = await Promise.all([
      this.command("docker", "ps", "--all", ...filter, "container {{.Names}}"),
      this.command("docker", "network", "ls", ...filter, "network {{.Name}}"),
      this.command("docker", "volume", "ls", ...filter, "volume {{.Name}}"),
    ]);
    return listed.flatMap(({ output }) => output.split("\n").filter((line) => line !== ""));
  }

  async dispose(): Promise<void> {
    await this.run("down", "--yes", "--volumes");
    // Remove the remains of a failed `down`, too.
    for (const stack of [this.stack, ...this.formerNames]) {
      for (const line of await this.left(stack)) {
        const [kind = "", name = ""] = line.split(" ");
        await this.command(
          "docker",
          ...(kind === "container" ? ["rm", "--force", "--volumes", name] : [kind, "rm", name]),
        );
      }
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Environment in which `./store` uses this workspace and its state. */
  get environment(): NodeJS.ProcessEnv {
    return { ...environmentOf(this.folder), ...this.site.env };
  }
}

/** A command that was started. */
export interface RunningCommand {
  readonly process: ChildProcess;
  readonly ended: Promise<CommandResult>;
  /** Returns the output so far. */
  readonly output: () => string;
}

/** Place in which a test's commands run. */
export interface TestSite {
  /** Commit of the repository whose files are copied. @default the files of the working tree */
  readonly commit?: string;
  /** Beginning of the name of the workspace's folder. @default "store" */
  readonly folderName?: string;
  /** Command line that runs another command, for example as another user. @default none */
  readonly prefix?: readonly string[];
  /** Changes to the environment. Undefined removes a variable. */
  readonly env?: NodeJS.ProcessEnv;
  /** Prepares the workspace's folder before the first command. */
  readonly prepare?: (folder: string) => Promise<void>;
}

/** Service and role of a container, such as `inventory/database`. */
export type ContainerKey = `${string}/${string}`;

export interface Container {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly status: string;
  readonly role: string;
  readonly service: string;
}
