import { createHash, Hash } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Session } from "../project/session";

/**
 * Everything that decides what a run of the engine would do, as one hash: the program with all that it reads, the stack's
 * values, the engine's record, and what the environment says to either.
 *
 * With the same, an `up` changes nothing, however often it is run: the engine compares what the program asks for with its
 * record, and neither is another. What somebody did to Docker behind its back it doesn't see; that is looked at before.
 */
export function inputHash(
  session: Session,
  what: { readonly record: string; readonly engine: string; readonly dockerHost: string },
  env: NodeJS.ProcessEnv = process.env,
): string {
  const hash = createHash("sha256");
  const add = (...fields: readonly (string | Buffer)[]): void =>
    fields.forEach((field) => hash.update(field).update("\0"));

  add(process.version, what.engine, what.dockerHost, session.stack.name);
  for (const name of Object.keys(env).sort()) {
    if (/^(PULUMI|DOCKER)_/.test(name)) add(name, env[name] ?? "");
  }
  add("stack", readFileSync(session.stack.file));
  add("record", readFileSync(what.record));
  for (const entry of readdirSync(session.project.root).sort()) {
    if (FILES.test(entry) || FOLDERS.has(entry)) addTree(hash, session.project.root, entry);
  }
  return hash.digest("hex");
}

/** What the program consists of, beside the packages that the lock file names. */
const FILES = /\.(ts|cjs)$|^(Pulumi\.yaml|package\.json|package-lock\.json|tsconfig\.json)$/;
const FOLDERS: ReadonlySet<string> = new Set([
  "components",
  "config",
  "packages",
  "runtime",
  "services",
]);

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

/** The fingerprint that the stack had when it was last brought up. */
export class UpToDate {
  private readonly file: string;

  constructor(session: Session) {
    this.file = join(session.state.folder, "last-up", session.stack.name);
  }

  matches(now: string): boolean {
    try {
      return readFileSync(this.file, "utf8") === now;
    } catch {
      // It never was up, or by another release of the command.
      return false;
    }
  }

  save(now: string): void {
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(this.file, now);
  }
}
