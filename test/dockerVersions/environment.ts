import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { baseImageNames, findStack, readProject } from "../../packages/cli/project/project";
import { DEFAULT_STACK } from "@store/cli/project/storeCommand";
import { succeed } from "../support/run";
import { TestSite } from "../integration/support/testStore";
import { Cleanup } from "./cleanup";

/** A row of the matrix. */
export interface Environment {
  /** End of the sentence "A small store works …". */
  readonly title: string;
  readonly setUp: (cleanup: Cleanup) => Promise<MatrixSite>;
  /** Expected output of `up` if the environment isn't supported. Defaults to none: it is supported. */
  readonly refusal?: RegExp;
}

export interface MatrixSite extends TestSite {
  /** Command line that runs another command where the store's port can be reached. @default none */
  readonly clients?: readonly string[];
}

const DAEMON = join(__dirname, "daemon.sh");

/** Starts another version of Docker with the base images of this machine's. @see daemon.sh */
export async function daemon(
  cleanup: Cleanup,
  suite: string,
  ...options: string[]
): Promise<MatrixSite & { readonly name: string }> {
  requireRoot("Docker's other versions run in namespaces");
  requireProgram("debootstrap");
  const name = `matrix-${randomBytes(3).toString("hex")}`;
  cleanup.add(() => succeed(DAEMON, "remove", name));
  await succeed(DAEMON, "start", name, suite, ...options);
  const project = readProject();
  // A fallback image has no digest, and loading an official one loses it.
  const images = Object.values(baseImageNames(project, findStack(project, DEFAULT_STACK))).map(
    (ref) => ref.replace(/@.*$/, ""),
  );
  await succeed(DAEMON, "load", name, ...images);
  const prefix = [DAEMON, "exec", name];
  return { name, prefix, clients: prefix };
}

/** @throws an error that gives the reason. */
export function requireRoot(reason: string): void {
  if (process.getuid?.() !== 0)
    throw new Error(`${reason}, which needs root. Run this test as root.`);
}

export function requireProgram(name: string): void {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  if (folders.some((folder) => existsSync(join(folder, name)))) return;
  throw new Error(`${name} is not installed. Install it (Debian: apt-get install ${name}).`);
}
