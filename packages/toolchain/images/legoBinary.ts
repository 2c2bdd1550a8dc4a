import { existsSync, mkdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { CliError } from "@store/docker/cliError";
import { findGo } from "../engine/go";
import { buildGoBinary } from "../engine/goBinary";
import type { Reporter } from "../system/report";
import { downloadFolder } from "./npmPackages";
import { folderOf, type Recipe, versionFailure } from "./recipes";

/** Builds lego from its Go module into the recipe's download folder, which is part of the image's build context. */
export async function buildLego(recipe: Recipe, report: Reporter): Promise<void> {
  const pinned = pinnedVersion();
  if ((recipe.held ?? recipe.version) !== pinned) throw versionFailure(recipe, [pinned]);
  const folder = downloadFolder(recipe);
  const output = path.join(folder, "lego");
  if (existsSync(output)) return;
  await requireGo(recipe);
  report.progress(`building lego ${pinned} from its Go module (two minutes)`);
  mkdirSync(folder, { recursive: true });
  await buildGoBinary({
    title: `The image ${recipe.ref}`,
    module: folderOf("lego"),
    package: "github.com/go-acme/lego/v5",
    output,
    // Without its 200 DNS providers, whose SDKs take most of the time: the gateway answers challenges by HTTP.
    tags: ["lego_dnslight"],
    version: ["main.version", `v${pinned}`],
  });
}

/** Version in lego/go.mod. */
export function pinnedVersion(): string {
  const text = readFileSync(path.join(folderOf("lego"), "go.mod"), "utf8");
  const version = /github\.com\/go-acme\/lego\/v5 v(\S+)/.exec(text)?.[1];
  if (version === undefined) throw new Error("lego/go.mod doesn't require lego");
  return version;
}

async function requireGo({ ref }: Recipe): Promise<void> {
  const go = await findGo();
  if (go.usable) return;
  throw new CliError(`No registry is reachable that has ${ref}, and ${go.problem}.`, {
    hint: `Give the Docker daemon access to a registry, or install Go ${go.required} or newer, with which it is built.`,
  });
}
