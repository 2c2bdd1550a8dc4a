import { createHash, Hash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Session } from "../project/session";

/**
 * Files and folders that the program consists of, relative to the project. npm packages are represented by the lock file.
 * An `up` is skipped (commands/deploy/up.ts) if none of these inputs has changed; a path that doesn't exist is ignored.
 */
export const PROGRAM_INPUTS: readonly string[] = [
  "Pulumi.yaml",
  "index.ts",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "components",
  "config",
  "packages/contracts",
  "packages/docker",
  "packages/kit",
  // Recipes of the base images that are built on this machine.
  "packages/toolchain/images",
  "runtime",
  "services",
];

/** Environment variables that the engine, its providers or the program read. */
const ENVIRONMENT_INPUTS = /^(PULUMI|DOCKER)_/;

/** Inputs of a run besides the program, the configuration and the environment. */
export interface RunInputs {
  /** File with the stack's state. */
  readonly checkpoint: string;
  /** Path of the engine, which contains its version. */
  readonly engine: string;
  readonly dockerHost: string;
}

/**
 * Hashes everything that decides what an `up` does: program, configuration, state, engine, Docker host and environment. With
 * an equal hash an `up` changes nothing, because the engine compares the same program with the same state. Changes made to
 * Docker without the engine are not part of the hash; see docker/drift.ts.
 */
export function inputHash(
  session: Session,
  { checkpoint, engine, dockerHost }: RunInputs,
  env: NodeJS.ProcessEnv = process.env,
): string {
  const hash = createHash("sha256");
  const add = (...fields: readonly (string | Buffer)[]): void =>
    fields.forEach((field) => hash.update(field).update("\0"));

  add(process.version, engine, dockerHost, session.stack.name);
  for (const name of Object.keys(env).sort()) {
    if (ENVIRONMENT_INPUTS.test(name)) add(name, env[name] ?? "");
  }
  add("configuration", readFileSync(session.stack.file));
  add("state", readFileSync(checkpoint));
  for (const path of PROGRAM_INPUTS) {
    if (existsSync(join(session.project.root, path))) addTree(hash, session.project.root, path);
  }
  return hash.digest("hex");
}

function addTree(hash: Hash, root: string, path: string): void {
  const full = join(root, path);
  const stats = lstatSync(full);
  if (stats.isDirectory()) {
    for (const entry of readdirSync(full).sort()) {
      if (entry !== "node_modules") addTree(hash, root, `${path}/${entry}`);
    }
    return;
  }
  hash.update(`${path}\0${stats.mode & 0o100}\0`);
  hash.update(stats.isSymbolicLink() ? readlinkSync(full) : readFileSync(full)).update("\0");
}

/** The input hash of a stack's last successful `up`. */
export class UpToDate {
  private readonly file: string;

  constructor(session: Session) {
    this.file = join(session.state.folder, "last-up", session.stack.name);
  }

  matches(hash: string): boolean {
    try {
      return readFileSync(this.file, "utf8") === hash;
    } catch {
      // The stack has never been up.
      return false;
    }
  }

  save(hash: string): void {
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(this.file, hash);
  }
}
