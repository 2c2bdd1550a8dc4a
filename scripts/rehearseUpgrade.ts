/**
 * Brings the staging stack up on the Azure emulator from the program of another commit, then from this checkout's: shows what an `up`
 * does to a stack that exists. Both use this checkout's emulator and npm packages.
 *
 *     npx tsx scripts/rehearseUpgrade.ts COMMIT
 */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { messageOf } from "@store/docker/messageOf";
import { findDocker } from "@store/toolchain/tools/docker";
import { RehearsalContext, STACK } from "../test/staging/context";
import { expectNoChanges, prepare, up } from "../test/staging/steps/deploySteps";
import { extractCommit } from "../test/support/commit";
import { copyWorkspace } from "../test/support/workspace";

const ROOT = resolve(__dirname, "..");
/** Kept when the files of the workspace change to another commit. */
const KEPT = [".store", "node_modules"];

async function main([commit]: readonly string[]): Promise<void> {
  if (commit === undefined) throw new Error("usage: npx tsx scripts/rehearseUpgrade.ts COMMIT");
  const docker = await findDocker();
  if (!docker.found) throw new Error("No Docker daemon answers.");
  const context = new RehearsalContext({
    root: ROOT,
    dockerHost: docker.host,
    latencyFactor: 0,
    host: "azure",
    registry: "named",
    report: { step: log, note: log, progress: log },
  });
  try {
    await prepare(context);
    await checkOut(commit, context.workspaceFolder);
    context.configure(FEW_SERVICES);
    log(`up of ${commit}: ${await up(context)}`);
    await context.workspace.succeed(...SQL, "CREATE TABLE before_upgrade ()");
    const before = context.emulator.vmId();

    clear(context.workspaceFolder, [".store"]);
    await copyWorkspace(ROOT, context.workspaceFolder);
    context.configure(FEW_SERVICES);
    await context.workspace.succeed("preview", STACK);
    log(`up of this checkout: ${await up(context)}`);
    await context.workspace.succeed(...SQL, "SELECT FROM before_upgrade");
    log("the database is the same");
    const same = context.emulator.vmId() === before;
    log(`the VM ${same ? "is the same" : "was replaced"}`);
    log(await expectNoChanges(context.workspace, "preview", STACK, "--refresh"));
    await context.workspace.succeed("down", STACK, "--yes", "--volumes");
    log(`left in Azure: ${context.emulator.resources().length} resources`);
  } finally {
    await context.dispose();
  }
}

const FEW_SERVICES = { "store:services": ["inventory"] };
const SQL = [
  ...["exec", "inventory-database", "--stack", STACK],
  ...["--", "psql", "-U", "inventory", "-c"],
] as const;

/** Replaces the files of the workspace with a commit's. */
async function checkOut(commit: string, folder: string): Promise<void> {
  clear(folder, KEPT);
  await extractCommit(ROOT, commit, folder);
}

function clear(folder: string, kept: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    if (!kept.includes(name)) rmSync(join(folder, name), { recursive: true });
  }
}

function log(text: string): void {
  process.stderr.write(`${text}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
});
