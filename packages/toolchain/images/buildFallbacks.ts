import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { cacheFolder } from "../system/cache";
import { withLock } from "../system/lock";
import { Reporter } from "../system/report";
import type { BaseImageRefs } from "./plan";
import { debianBase, DebianBase, ensureDebianBase } from "./debian";
import {
  isBuiltByToolchain,
  KEY_LABEL,
  LABEL,
  labelsOf,
  localState,
  VERSION_LABEL,
} from "./inspect";
import { build } from "./buildImage";
import { buildLego } from "./legoBinary";
import { discardDownloads, download } from "./npmPackages";
import { ImageName, Recipe, recipeFor, recipeKey, VersionFailure, withoutDigest } from "./recipes";

/** Builds the fallback images that don't exist yet, under a lock. */
export async function buildFallbacks(
  images: readonly ImageName[],
  refs: BaseImageRefs,
  docker: Docker,
  report: Reporter,
): Promise<void> {
  report.step(
    `Building the fallback images ${images.map((image) => withoutDigest(refs[image] ?? "")).join(", ")} from packages`,
  );
  await checkArchitecture(docker);
  const base = debianBase();
  const onWait = (pid: number): void =>
    report.progress(`waiting for process ${pid}, which is building base images`);
  await withLock(cacheFolder(), "base-images", onWait, async () => {
    // Another process may have built them in the meantime.
    const recipes: Recipe[] = [];
    for (const recipe of images.map((image) => recipeFor(image, refs[image] ?? ""))) {
      if (recipe !== undefined && !(await isBuilt(recipe, base, docker))) recipes.push(recipe);
    }
    if (recipes.length === 0) return;

    await allOrFirstError([
      ensureDebianBase(base, docker, { [LABEL]: "base", [KEY_LABEL]: base.key }, report),
      // One after the other, because npm itself downloads in parallel.
      provideAll(recipes, report),
    ]);
    await allOrFirstError(
      recipes.map((recipe) =>
        orCompatible(recipe, (one) => buildFallback(one, base, docker, report)).then(
          () => undefined,
        ),
      ),
    );
    await removeStages(docker);
  });
}

/** Replaces a recipe in the list by that of the version that the packages hold. */
async function provideAll(recipes: Recipe[], report: Reporter): Promise<void> {
  for (const [index, recipe] of recipes.entries())
    recipes[index] = await orCompatible(recipe, (one) => provide(one, report));
}

/** Runs an action, and again for a compatible version if the packages don't hold the recipe's. Returns the recipe that was used. */
async function orCompatible(
  recipe: Recipe,
  action: (recipe: Recipe) => Promise<void>,
): Promise<Recipe> {
  try {
    await action(recipe);
    return recipe;
  } catch (error) {
    const other = error instanceof VersionFailure ? error.compatibleRecipe() : undefined;
    if (other === undefined) throw error;
    await action(other);
    return other;
  }
}

/** Provides the files that the image's build doesn't get from Debian. */
function provide(recipe: Recipe, report: Reporter): Promise<void> {
  return recipe.image === "lego" ? buildLego(recipe, report) : download(recipe, report);
}

async function buildFallback(
  recipe: Recipe,
  base: DebianBase,
  docker: Docker,
  report: Reporter,
): Promise<void> {
  const labels = {
    [LABEL]: "fallback",
    [KEY_LABEL]: recipeKey(recipe, base),
    ...(recipe.held !== undefined && { [VERSION_LABEL]: recipe.held }),
  };
  await replacingFallback(recipe.ref, docker, () => build(recipe, base, docker, labels, report));
  discardDownloads(recipe);
}

/** Runs a build that takes over a tag, and deletes the fallback image that had the tag before. Somebody else's image stays. */
export async function replacingFallback(
  ref: string,
  docker: Docker,
  build: () => Promise<void>,
): Promise<void> {
  const before = await imageId(ref, docker);
  const isOurs = isBuiltByToolchain(await labelsOf(ref, docker));
  await build();
  // Docker refuses to delete an image that is in use; it stays.
  if (isOurs && before !== undefined && before !== (await imageId(ref, docker))) {
    await docker.remove(`/images/${before}`);
  }
}

/** Removes the images of the builds' first stages, which are large and unused. */
async function removeStages(docker: Docker): Promise<void> {
  const filters = { dangling: ["true"], label: [`${LABEL}=stage`] };
  const stages = await docker.list<{ Id: string }>("/images/json", { filters });
  for (const { Id } of stages) await docker.remove(`/images/${Id}`);
}

async function isBuilt(recipe: Recipe, base: DebianBase, docker: Docker): Promise<boolean> {
  const labels = await labelsOf(recipe.ref, docker);
  return localState(labels, recipeKey(recipe, base)) === "fallback";
}

async function imageId(ref: string, docker: Docker): Promise<string | undefined> {
  return (await docker.get<{ Id: string }>(`/images/${ref}/json`))?.Id;
}

/** Waits for all actions before it throws the first error, so that none runs on in the background. */
async function allOrFirstError(actions: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(actions)) {
    if (result.status === "rejected") throw result.reason;
  }
}

/** Checks that the daemon has this machine's architecture, for which the packages are. @throws CliError */
async function checkArchitecture(docker: Docker): Promise<void> {
  const { Arch } = (await docker.get<{ Arch: string }>("/version")) ?? {};
  const ours = process.arch === "x64" ? "amd64" : process.arch;
  if (Arch !== ours) {
    throw new CliError(
      `The Docker daemon runs on ${Arch}, but this machine is ${ours}, so it can't build fallback images for the daemon.`,
      { hint: "Give the daemon access to a registry, or run this on the daemon's machine." },
    );
  }
}
