import { createHash, Hash } from "node:crypto";
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { isPem, PEM_KEYS } from "../../../config/https/pemValue";
import { messageOf } from "@store/docker/messageOf";
import { configText } from "../project/project";
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
  // Other policies may refuse what is deployed.
  "policy",
  "runtime",
  "services",
];

/** Environment variables that the engine, its providers or the program read. */
const ENVIRONMENT_INPUTS = /^(PULUMI_|DOCKER_|STORE_FALLBACK_IMAGES$)/;

/** Inputs of a run besides the program, the configuration, the state and the environment. */
export interface RunInputs {
  /** Path of the engine, which contains its version. */
  readonly engine: string;
  readonly dockerHost: string;
}

/**
 * Hashes everything that decides what an `up` does, except for the state: program, configuration, engine, Docker host and environment.
 * With an equal hash and an equal state an `up` changes nothing, because the engine compares the same program with the same state.
 * Changes made to Docker without the engine are not part of the hash; see docker/drift.ts.
 */
export function inputHash(
  session: Session,
  { engine, dockerHost }: RunInputs,
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
  addNamedFiles(hash, session);
  for (const path of [...PROGRAM_INPUTS, ...contextFolders(session)]) {
    if (existsSync(join(session.project.root, path))) addTree(hash, session.project.root, path);
  }
  return hash.digest("hex");
}

/** Adds the files that the configuration names, which may be outside of the project. */
function addNamedFiles(hash: Hash, { project, stack }: Session): void {
  for (const key of PEM_KEYS) {
    const value = configText(project, stack, key);
    if (value === "" || isPem(value)) continue;
    const file = resolve(project.root, value);
    const stats = targetOf(file);
    if (stats?.isFile()) addFile(hash, file, stats);
  }
}

/**
 * Folders of images that are built from outside of {@link PROGRAM_INPUTS} (`image.base` of a service's spec). The program writes them
 * beside the copies of the build contexts (components/image/context/stagedContext.ts).
 */
function contextFolders({ project, stack }: Session): string[] {
  const copies = join(project.root, CONTEXTS_FOLDER, stack.name);
  const contexts = namesIn(copies).flatMap((image) => contextOf(join(copies, image, "tag")) ?? []);
  return [...new Set(contexts)]
    .filter((path) => !PROGRAM_INPUTS.some((input) => `${path}/`.startsWith(`${input}/`)))
    .filter((path) => !isAbsolute(path) && !path.startsWith(".."))
    .sort();
}

/** Folder of the copied build contexts of all stacks, relative to the project. */
export const CONTEXTS_FOLDER = join(".store", "contexts");

/** Returns undefined if the copy is incomplete. */
function contextOf(marker: string): string | undefined {
  return existsSync(marker) ? readFileSync(marker, "utf8").split("\n")[1] : undefined;
}

function addTree(hash: Hash, root: string, path: string): void {
  const full = join(root, path);
  const stats = lstatSync(full);
  hash.update(`${path}\0`);
  if (stats.isSymbolicLink()) addLink(hash, root, path);
  else if (stats.isDirectory()) addFolder(hash, root, path);
  else if (stats.isFile()) addFile(hash, full, stats);
  // Reading a named pipe or a socket waits for ever or fails; an image can't have them.
  else hash.update("special\0");
}

function addFolder(hash: Hash, root: string, path: string): void {
  for (const entry of namesIn(join(root, path))) {
    const child = `${path}/${entry}`;
    if (entry !== "node_modules") addTree(hash, root, child);
    // A service may have its packages in its image. Their content is not read, because they may be many.
    else if (/^services\/[^/]+$/.test(path)) addMetadata(hash, join(root, child));
  }
}

/** Adds a symbolic link and its target. A folder counts if it is a program's input or a service, because their links are followed. */
function addLink(hash: Hash, root: string, path: string): void {
  const full = join(root, path);
  hash.update(`link\0${readlinkSync(full)}\0`);
  const target = targetOf(full);
  if (target?.isFile()) addFile(hash, full, target);
  if (target?.isDirectory() && path.split("/").length <= 2) addFolder(hash, root, path);
}

/** Follows links. Returns undefined if there is no such file, or if the path isn't one, such as a text that is too long. */
function targetOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function addFile(hash: Hash, full: string, stats: Stats): void {
  hash.update(`${stats.mode & 0o100}\0`);
  try {
    addContent(hash, full);
  } catch (error) {
    // The program reports a file that it needs and can't read.
    hash.update(`${messageOf(error)}\0`);
  }
}

/** Adds a file piece by piece, because a build context may hold files that don't fit into memory. */
function addContent(hash: Hash, full: string): void {
  const chunk = Buffer.allocUnsafe(256 * 1024);
  const descriptor = openSync(full, "r");
  try {
    for (let length; (length = readSync(descriptor, chunk)) > 0;) {
      hash.update(chunk.subarray(0, length));
    }
  } finally {
    closeSync(descriptor);
  }
  hash.update("\0");
}

function addMetadata(hash: Hash, full: string): void {
  for (const entry of namesIn(full)) {
    const file = join(full, entry);
    const { size, mtimeMs, mode } = lstatSync(file);
    hash.update(`${file}\0${size}\0${mtimeMs}\0${mode}\0`);
    if (lstatSync(file).isDirectory()) addMetadata(hash, file);
  }
}

/** Sorted names; none for a folder that can't be read, which the program reports if it needs the folder. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/**
 * The inputs of an `up`, and the record of those of the stack's last successful `up`. The inputs are hashed when this is created, before
 * the engine reads them: an edit that is saved while it runs isn't deployed. The state is hashed when it is compared or saved, because the
 * run changes it.
 */
export class UpToDate {
  private readonly file: string;
  private readonly inputs: string;

  /** @param checkpoint File with the stack's state. It may not exist yet. */
  constructor(
    session: Session,
    private readonly checkpoint: string,
    inputs: RunInputs,
    env: NodeJS.ProcessEnv = process.env,
  ) {
    this.file = join(session.state.folder, "last-up", session.stack.name);
    this.inputs = inputHash(session, inputs, env);
  }

  /** Returns true if the last `up` had these inputs, and the state is the one that it left. */
  matches(): boolean {
    try {
      return readFileSync(this.file, "utf8") === this.withState();
    } catch {
      // The stack has never been up.
      return false;
    }
  }

  /**
   * Records the inputs as deployed. Call it after a successful run.
   *
   * @param engineOptions Options of the user's for the engine. If there are any, the run may have left out changes (--target, --exclude), so
   *   that no record is kept: the next `up` runs the engine.
   */
  save(engineOptions: readonly string[]): void {
    rmSync(this.file, { force: true });
    if (engineOptions.length > 0) return;
    // A variable of the engine's may select another layout of the state's files.
    if (!existsSync(this.checkpoint)) return;
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(this.file, this.withState());
  }

  private withState(): string {
    const state = readFileSync(this.checkpoint);
    return createHash("sha256").update(this.inputs).update(state).digest("hex");
  }
}
