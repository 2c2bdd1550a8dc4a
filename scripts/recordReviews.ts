/**
 * Records the engine's events and the checkouts of previews, from which test/unit/cli/review tests the texts of reviews. Deploys a store
 * of its own on this machine, and with `azure` the staging stack on the Azure emulator, and removes it again.
 *
 *     npx tsx scripts/recordReviews.ts local|azure
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { freePort } from "@store/cli/devServices/freePort";
import { parseEvents } from "@store/cli/engine/events";
import { POLICY_OPTIONS } from "@store/cli/engine/policyPack";
import type { Checkout } from "@store/cli/review/model/reviewModel";
import { parseSummary } from "@store/cli/review/summary";
import { RehearsalContext } from "../test/staging/context";
import { prepare, up } from "../test/staging/steps/deploySteps";
import { copyWorkspace, Workspace } from "../test/support/workspace";
import { slimEvents } from "./slimEvents";

const ROOT = resolve(__dirname, "..");
const RECORDINGS = join(ROOT, "test/unit/cli/review/recordings");

/** Name of the stack in all recordings. */
const STACK = "staging";

async function main([which]: readonly string[]): Promise<void> {
  mkdirSync(RECORDINGS, { recursive: true });
  if (which === "local") return recordLocal();
  if (which === "azure") return recordAzure();
  throw new Error("usage: npx tsx scripts/recordReviews.ts local|azure");
}

/** Records previews of one stack in a copy of the repository. */
class Recorder {
  /** The checkout that is deployed. */
  base: Checkout | undefined;

  /** @param files Files and folders, with absolute paths, that a recorded change may change. */
  constructor(
    private readonly workspace: Workspace,
    private readonly folder: string,
    private readonly files: readonly string[],
  ) {}

  /**
   * Previews a change of the checkout and takes it back.
   *
   * @param name Name of the recording.
   * @param change Changes files of the copy. Defaults to no change.
   */
  async record(name: string, change: () => void = () => undefined): Promise<void> {
    const { stack } = this.workspace;
    await this.keepingFiles(change, async () => {
      const log = join(this.folder, ".store", `${name}.events`);
      // Fails for a refused preview, which is to be recorded, too.
      const options = ["--stack", stack, "--event-log", log, ...POLICY_OPTIONS];
      await this.workspace.run("pulumi", "preview", ...options);
      const events = slimEvents(parseEvents(readFileSync(log, "utf8")), (text) =>
        text
          .replaceAll(this.folder, "/workspace")
          .replaceAll(`:${stack}::`, `:${STACK}::`)
          .replaceAll(`"${stack}"`, `"${STACK}"`),
      );
      const lines = events.map((event) => JSON.stringify(event));
      writeFileSync(join(RECORDINGS, `${name}.jsonl`), `${lines.join("\n")}\n`);
      const head = await this.checkout();
      writeFileSync(
        join(RECORDINGS, `${name}.checkouts.json`),
        `${JSON.stringify(differing(head, this.base ?? head), null, 1)}\n`,
      );
      process.stderr.write(`recorded ${name}: ${events.length} events\n`);
    });
  }

  /** Reads the checkout as it is now. */
  async checkout(): Promise<Checkout> {
    const { stack } = this.workspace;
    const output = await this.workspace.succeed("preview", stack, "--checkout-only", "--json");
    return parseSummary(output.slice(output.indexOf("{")), "the output").review.checkout;
  }

  private async keepingFiles(change: () => void, action: () => Promise<void>): Promise<void> {
    const copy = mkdtempSync(join(tmpdir(), "store-review-files-"));
    const copyOf = (file: string): string => join(copy, basename(file));
    for (const file of this.files) copyAll(file, copyOf(file));
    try {
      change();
      await action();
    } finally {
      for (const file of this.files) {
        rmSync(file, { recursive: true, force: true });
        copyAll(copyOf(file), file);
      }
      rmSync(copy, { recursive: true });
    }
  }
}

function copyAll(from: string, to: string): void {
  cpSync(from, to, { recursive: true, force: true, verbatimSymlinks: true });
}

/** Leaves out the files that are equal in both checkouts: the texts don't depend on them. */
function differing(head: Checkout, base: Checkout): { head: Checkout; base: Checkout } {
  const without = (checkout: Checkout, other: Checkout): Checkout => ({
    services: checkout.services.map((service) => {
      const same = other.services.find(({ name }) => name === service.name)?.files ?? {};
      const files = Object.entries(service.files).filter(([path, hash]) => same[path] !== hash);
      return { ...service, files: Object.fromEntries(files) };
    }),
  });
  return { head: without(head, base), base: without(base, head) };
}

/** Two services are enough, and quickly deployed. */
const SERVICES = "  store:services: [inventory, storefront]\n";

async function recordLocal(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "store-review-"));
  await copyWorkspace(ROOT, folder);
  const port = await freePort();
  const config = (httpPort: number, more = SERVICES): void =>
    writeFileSync(
      join(folder, "Pulumi.review.yaml"),
      `config:\n  store:requestLimit: 0\n  store:httpPort: ${httpPort}\n${more}`,
    );
  config(port);
  const workspace = new Workspace(folder, "review", { PULUMI_DEBUG_COMMANDS: "true" }, (line) =>
    process.stderr.write(`${line}\n`),
  );
  const files = ["services", "Pulumi.review.yaml"].map((file) => join(folder, file));
  const recorder = new Recorder(workspace, folder, files);
  try {
    // Creates the stack without resources.
    await workspace.run("preview", "review");
    await recorder.record("first", () => config(port, ""));
    await workspace.succeed("up", "review");
    recorder.base = await recorder.checkout();
    await recorder.record("nothing");
    await recorder.record("one-service", () => changeInventory(folder));
    await recorder.record("settings", () =>
      config(port + 1, `${SERVICES}  store:environment: { inventory: { LOG_LEVEL: debug } }\n`),
    );
    await recorder.record("invalid", () => config(99_999));
    await recorder.record("policy-violated", () =>
      config(port, `${SERVICES}  store:environment: { inventory: { SHELF_API_KEY: canary } }\n`),
    );
    // Its data exists although the service isn't enabled, and no other service needs it.
    const removeOrders = (): void => rmSync(join(folder, "services/orders"), { recursive: true });
    await recorder.record("refused", removeOrders);
    await unprotect(workspace, "orders-data");
    await recorder.record("data-at-risk", removeOrders);
  } finally {
    await workspace.run("down", "review", "--yes", "--volumes");
    rmSync(folder, { recursive: true, force: true });
  }
}

function changeInventory(folder: string): void {
  const service = join(folder, "services/inventory");
  writeFileSync(join(service, "src/shelf.ts"), "export const SHELVES = 12;\n");
  const main = join(service, "src/main.ts");
  writeFileSync(main, `${readFileSync(main, "utf8")}// Shelves.\n`);
  writeFileSync(
    join(service, "src/migrations/0003-shelf.sql"),
    "ALTER TABLE products ADD COLUMN shelf text;\n",
  );
}

/** Allows the deletion of a service's data, as the message of a refused preview says. */
async function unprotect(workspace: Workspace, name: string): Promise<void> {
  const output = await workspace.succeed("pulumi", "stack", "export", "--stack", workspace.stack);
  const urns = [...output.matchAll(/"urn": "([^"]+)"/g)].flatMap(([, urn = ""]) =>
    urn.split("::").at(-1)?.startsWith(name) && /\$(docker|random):/.test(urn) ? [urn] : [],
  );
  await workspace.succeed(
    ...["pulumi", "state", "unprotect", "--yes", "--stack", workspace.stack],
    ...new Set(urns),
  );
}

async function recordAzure(): Promise<void> {
  const context = new RehearsalContext({
    root: ROOT,
    dockerHost: "unix:///var/run/docker.sock",
    latencyFactor: 0,
    host: "azure",
    registry: "named",
    report: { step: log, note: log, progress: log },
  });
  const services = { "store:services": ["inventory", "storefront"], "store:servicesOnly": true };
  process.env["PULUMI_DEBUG_COMMANDS"] = "true";
  try {
    await prepare(context);
    context.configure(services);
    await context.workspace.run("preview", context.workspace.stack);
    const files = [context.configFile];
    const recorder = new Recorder(context.workspace, context.workspaceFolder, files);
    await recorder.record("first-azure");
    await up(context);
    recorder.base = await recorder.checkout();
    await recorder.record("exposure", () =>
      context.configure({ ...services, "store:adminCidrs": ["127.0.0.1/32", "203.0.113.0/24"] }),
    );
    await recorder.record("vm-replaced", () =>
      context.configure({
        ...services,
        "store:vmImage": "Debian:debian-12:12-gen2:0.20260901.2241",
      }),
    );
    context.configure(services);
    await context.workspace.run("down", context.workspace.stack, "--yes", "--volumes");
  } finally {
    await context.dispose();
  }
}

function log(text: string): void {
  process.stderr.write(`${text}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 1;
});
