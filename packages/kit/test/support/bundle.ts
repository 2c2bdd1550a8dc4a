import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";

/** Folder in the repository for the bundles that later test runs use, too. */
const CACHE = ".store/bundles";

/** Files of the repository that change a bundle without being part of it. */
const OTHER_INPUTS = [
  "package-lock.json",
  "packages/kit/package.json",
  "packages/kit/test/support/bundle.ts",
];

const DAY_MS = 24 * 60 * 60_000;

interface Bundle {
  readonly file: string;
  /** Last modification of each input, by path. */
  readonly inputs: Readonly<Record<string, number | undefined>>;
}

const bundles = new Map<string, Promise<string>>();
/** Folder for the bundles of changed copies of services, which only this test run uses. */
let temporary: string | undefined;

/**
 * Bundles a service's src/main.ts and its imports into one file. The bundle starts in a tenth of the CPU time that Node needs to
 * resolve a thousand files and to strip the types. Bundling takes more time than starting, so the bundle of a service of the
 * repository is used until an input changes.
 *
 * @param repository Folder of the repository.
 * @param service Folder of the service.
 * @returns Path of the bundle.
 */
export function bundleService(repository: string, service: string): Promise<string> {
  const isOfRepository = service.startsWith(join(repository, "services/"));
  const bundle =
    bundles.get(service) ??
    (isOfRepository
      ? cachedBundle(repository, service)
      : build(
          repository,
          service,
          mkdtempSync(join((temporary ??= temporaryFolder()), "copy-")),
        ).then(({ file }) => file));
  bundles.set(service, bundle);
  return bundle;
}

async function cachedBundle(repository: string, service: string): Promise<string> {
  const cache = join(repository, CACHE);
  const name = basename(service);
  const index = join(cache, `${name}.json`);
  const known = existsSync(index) ? (JSON.parse(readFileSync(index, "utf8")) as Bundle) : undefined;
  if (known !== undefined && isCurrent(known)) return known.file;
  // Other test runs may use the old bundle until they end, so it isn't overwritten.
  mkdirSync(cache, { recursive: true });
  const bundle = await build(repository, service, mkdtempSync(join(cache, `${name}-`)));
  writeFileSync(`${bundle.file}.json`, JSON.stringify(bundle));
  renameSync(`${bundle.file}.json`, index);
  removeOldBundles(cache, name, bundle);
  return bundle.file;
}

/** Removes the service's earlier bundles after a day, when no test uses them any more. */
function removeOldBundles(cache: string, service: string, { file }: Bundle): void {
  for (const name of readdirSync(cache).filter((one) => one.startsWith(`${service}-`))) {
    const folder = join(cache, name);
    const isOld = Date.now() - (modificationOf(folder) ?? Date.now()) > DAY_MS;
    if (isOld && folder !== dirname(file)) rmSync(folder, { recursive: true, force: true });
  }
}

function isCurrent({ file, inputs }: Bundle): boolean {
  return (
    existsSync(file) &&
    Object.entries(inputs).every(([path, modified]) => modificationOf(path) === modified)
  );
}

function modificationOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

async function build(repository: string, service: string, folder: string): Promise<Bundle> {
  const file = join(folder, "main.mjs");
  const { metafile } = await esbuild.build({
    absWorkingDir: repository,
    entryPoints: [join(service, "src/main.ts")],
    outfile: file,
    metafile: true,
    bundle: true,
    platform: "node",
    format: "esm",
    target: `node${process.versions.node}`,
    // Stack traces in logs name the sources and their lines.
    sourcemap: "linked",
    sourcesContent: false,
    banner: { js: PREAMBLE },
    plugins: [keepSourceLocations],
    logLevel: "silent",
  });
  const inputs = [...Object.keys(metafile.inputs), ...OTHER_INPUTS]
    .map((path) => resolve(repository, path))
    .map((path) => [path, modificationOf(path)] as const);
  return { file, inputs: Object.fromEntries(inputs) };
}

/** Defines `require` for CommonJS packages in the bundle, and `resolveFrom`, which replaces import.meta.resolve. */
const PREAMBLE = `
import { createRequire as requireFrom } from "node:module";
import { pathToFileURL as urlOf } from "node:url";
const require = requireFrom(import.meta.url);
const resolveFrom = (file, name) => urlOf(requireFrom(file).resolve(name)).href;`;

/** Makes import.meta.url and import.meta.resolve refer to the original source file, so that files next to it are found. */
const keepSourceLocations: esbuild.Plugin = {
  name: "keep-source-locations",
  setup(build) {
    build.onLoad({ filter: /\/(services|packages|src)\/.*\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const contents = source
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href))
        .replaceAll("import.meta.resolve(", `resolveFrom(${JSON.stringify(path)}, `);
      return { contents, loader: "ts" };
    });
  },
};

function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "store-bundles-"));
  process.once("exit", () => rmSync(path, { recursive: true, force: true }));
  return path;
}
