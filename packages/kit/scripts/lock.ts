/**
 * Writes the package-lock.json of every image that installs packages: of each folder with a Dockerfile, a package.json and a
 * lock file. An image is built from its folder alone, so the repository's lock isn't there; this one takes its versions, so
 * that what runs in the image is what was tested outside. With --check it writes nothing and fails where one is stale.
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

const stale = imageFolders().filter((folder) => {
  const file = join(folder, "package-lock.json");
  const wanted = lockFor(folder);
  if (readFileSync(file, "utf8") === wanted) return false;
  if (!check) writeFileSync(file, wanted);
  return true;
});
const names = stale.map((folder) => relative(root, folder)).join(", ");
if (check && stale.length > 0) {
  console.error(`Stale package-lock.json in ${names}. Run "npm run lock -w @store/kit".`);
  process.exitCode = 1;
} else {
  console.log(
    stale.length > 0 ? `Written: package-lock.json in ${names}` : "All image locks are current.",
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

/** Gives npm the repository's lock with this folder as the root package: it keeps the versions and drops the rest. */
function lockFor(folder: string): string {
  const { scripts: _scripts, ...manifest } = readJson(join(folder, "package.json")) as Record<
    string,
    unknown
  >;
  const dependencies = { ...(manifest["dependencies"] as Record<string, string>) };
  // The base image has the kit already.
  delete dependencies["@store/kit"];
  const { packages } = readJson(join(root, "package-lock.json")) as Lock;
  // Where versions differ, npm puts a package's own beside it. It takes the place of the repository's, and of what that has
  // inside it.
  const own = `${relative(root, folder)}/`;
  const places = Object.keys(packages)
    .filter((path) => path.startsWith(`${own}node_modules/`))
    .map((path) => path.slice(own.length));
  const replaced = (path: string): boolean =>
    places.some((place) => path === place || path.startsWith(`${place}/`));
  const locked = Object.entries(packages).flatMap(([path, entry]) => {
    const isOwn = path.startsWith(`${own}node_modules/`);
    const at = isOwn ? path.slice(own.length) : path;
    if (!at.startsWith("node_modules/") || "link" in entry || (!isOwn && replaced(at))) return [];
    const { dev: _dev, peer: _peer, devOptional: _devOptional, ...kept } = entry;
    return [[at, kept] as const];
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
