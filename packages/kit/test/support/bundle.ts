import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";

const bundles = new Map<string, Promise<string>>();
let folder: string | undefined;

/**
 * The program in `folder`/src/main.ts with all that it imports in one file, made once in a run of the tests: it starts in
 * a tenth of the processor time that Node needs to look for a thousand files and to strip the types from ours.
 *
 * @returns the path of the file.
 */
export function bundleService(service: string): Promise<string> {
  const entry = join(service, "src/main.ts");
  const made = bundles.get(entry) ?? make(entry, `${bundles.size}.mjs`);
  bundles.set(entry, made);
  return made;
}

async function make(entry: string, name: string): Promise<string> {
  const outfile = join((folder ??= temporaryFolder()), name);
  await esbuild.build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: `node${process.versions.node}`,
    // Whoever reads a stack in a log reads the sources' names and lines.
    sourcemap: "linked",
    sourcesContent: false,
    banner: { js: PREAMBLE },
    plugins: [ownPlace],
    logLevel: "silent",
  });
  return outfile;
}

/** Packages that are CommonJS require Node's own modules; and what import.meta.resolve is in a file that was elsewhere. */
const PREAMBLE = `
import { createRequire as requireFrom } from "node:module";
import { pathToFileURL as urlOf } from "node:url";
const require = requireFrom(import.meta.url);
const resolveFrom = (file, name) => urlOf(requireFrom(file).resolve(name)).href;`;

/** Each of our files goes on finding what lies beside it. */
const ownPlace: esbuild.Plugin = {
  name: "own-place",
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
  const made = mkdtempSync(join(tmpdir(), "store-bundles-"));
  process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  return made;
}
