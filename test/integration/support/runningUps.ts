import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isPidAlive } from "@store/toolchain/system/processIdentity";

/** Folder with a file for each `up` that a test runs. The names begin with the test's process ID. */
const FOLDER = join(tmpdir(), `store-test-ups-${process.getuid?.() ?? 0}`);
const LIMIT_MS = 180_000;

/** Runs an `up`. Other test processes start no `down` meanwhile. */
export async function duringUp<T>(up: () => Promise<T>): Promise<T> {
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, `${process.pid}-${randomUUID()}`);
  writeFileSync(file, "");
  try {
    return await up();
  } finally {
    rmSync(file, { force: true });
  }
}

/**
 * Waits until no other test process runs an `up`, at most for three minutes. Two test files run at the same time, and their stacks have
 * the same images: a `down` removes each image that no container uses, also one that another stack's `up` has built and not used yet.
 */
export async function untilNoOtherUp(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const isOther = (name: string): boolean => {
    const pid = parseInt(name, 10);
    return pid !== process.pid && isPidAlive(pid);
  };
  const end = Date.now() + LIMIT_MS;
  while (readdirSync(FOLDER).some(isOther) && Date.now() < end) await pause(100);
}
