/**
 * Writes the package-lock.json of every image that installs packages, that is, of each folder with a Dockerfile, a package.json and a
 * package-lock.json. An image is built from its folder alone, without the repository's lock. These locks have the same versions as the
 * repository's, so that an image runs the tested versions. With --check, writes nothing and fails if a lock is outdated.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const check = process.argv.includes("--check");

interface Lock {
  readonly packages: Record<string, Record<string, unknown>>;
}

const outdated = imageFolders().filter((folder) => {
  const file = join(folder, "package-lock.json");
  const expected = createLock(folder);
  if (readFileSync(file, "utf8") === expected) return false;
  if (!check) writeFileSync(file, expected);
  return true;
});
const names = outdated.map((folder) => relative(root, folder)).join(", ");
if (check && outdated.length > 0) {
  console.error(`Outdated package-lock.json in ${names}. Run "npm run lock -w @store/kit".`);
  process.exitCode = 1;
} else {
  console.log(
    outdated.length > 0
      ? `Updated package-lock.json in ${names}`
      : "All image locks are up to date.",
  );
}

function imageFolders(): string[] {
  return ["packages", "services"]
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)))
    .filter((folder) =>
      ["Dockerfile", "package.json", "package-lock.json"].every((file) =>
        existsSync(join(folder, file)),
      ),
    );
}

/** Runs npm on the repository's lock with this folder as the root package. npm keeps the versions and drops unused packages. */
function createLock(folder: string): string {
  const { scripts: _scripts, ...manifest } = readJson(join(folder, "package.json")) as Record<
    string,
    unknown
  >;
  const dependencies = { ...(manifest["dependencies"] as Record<string, string>) };
  // The base image contains the kit.
  delete dependencies["@store/kit"];
  const { packages } = readJson(join(root, "package-lock.json")) as Lock;
  // If the folder needs another version than the repository's, npm installs it in the folder's own node_modules. That version replaces
  // the repository's, with the packages nested in it.
  const workspace = `${relative(root, folder)}/`;
  const workspacePaths = Object.keys(packages)
    .filter((path) => path.startsWith(`${workspace}node_modules/`))
    .map((path) => path.slice(workspace.length));
  const isReplaced = (path: string): boolean =>
    workspacePaths.some((other) => path === other || path.startsWith(`${other}/`));
  const locked = Object.entries(packages).flatMap(([path, entry]) => {
    const isWorkspaceOwn = path.startsWith(`${workspace}node_modules/`);
    const target = isWorkspaceOwn ? path.slice(workspace.length) : path;
    if (!target.startsWith("node_modules/") || "link" in entry) return [];
    if (!isWorkspaceOwn && isReplaced(target)) return [];
    const { dev: _dev, peer: _peer, devOptional: _devOptional, ...kept } = entry;
    return [[target, kept] as const];
  });

  const work = mkdtempSync(join(tmpdir(), "image-lock-"));
  try {
    writeFileSync(join(work, "package.json"), JSON.stringify({ ...manifest, dependencies }));
    const seed = {
      name: manifest["name"],
      lockfileVersion: 3,
      packages: Object.fromEntries(locked),
    };
    writeFileSync(join(work, "package-lock.json"), JSON.stringify(seed));
    execFileSync(
      "npm",
      [
        "install",
        "--package-lock-only",
        "--omit-lockfile-registry-resolved",
        "--no-audit",
        "--no-fund",
      ],
      {
        cwd: work,
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    return readFileSync(join(work, "package-lock.json"), "utf8");
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}
