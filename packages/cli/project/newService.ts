import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { UsageError } from "@store/docker/cliError";
import { serviceNameProblems } from "../../../services/spec";
import type { Language } from "../commands/project/new";

/** Stands for the service's name in the templates. */
const PLACEHOLDER = "example-service";

const TEMPLATES = join(__dirname, "../templates");

/**
 * Creates `services/NAME` from the language's template, completely or not at all.
 *
 * @returns the paths of the files, relative to the service's folder.
 * @throws UsageError if the name is invalid or taken
 */
export function createService(root: string, name: string, language: Language): string[] {
  const [problem] = serviceNameProblems(name);
  if (problem !== undefined) throw new UsageError(problem, "For example: ./store new gifts");
  const folder = join(root, "services", name);
  if (existsSync(folder)) throw taken(name);
  mkdirSync(join(root, ".store"), { recursive: true, mode: 0o700 });
  const scratch = mkdtempSync(join(root, ".store", "new-"));
  const draft = join(scratch, name);
  try {
    cpSync(join(TEMPLATES, language), draft, { recursive: true, filter: isSource });
    const files = filesIn(draft).map((path) => rename(draft, path, name));
    renameSync(draft, folder);
    return files.sort();
  } catch (error) {
    // Created by another process meanwhile; an empty folder would have been replaced.
    if ((error as NodeJS.ErrnoException).code === "ENOTEMPTY") throw taken(name);
    throw error;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function taken(name: string): UsageError {
  return new UsageError(
    `services/${name} exists already. Nothing was changed.`,
    "Choose another name, or delete the folder.",
  );
}

/** Leaves out what running the templates' own tests creates. */
function isSource(path: string): boolean {
  return !/__pycache__|node_modules/.test(path);
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** Puts the service's name into a file and its path, and returns the path. */
function rename(folder: string, path: string, name: string): string {
  const file = join(folder, path);
  const renamed = path.replaceAll(PLACEHOLDER, name);
  writeFileSync(file, readFileSync(file, "utf8").replaceAll(PLACEHOLDER, name));
  renameSync(file, join(folder, renamed));
  return renamed;
}
