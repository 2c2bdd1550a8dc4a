import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { Reporter } from "../system/report";
import { buildFallbacks } from "./buildFallbacks";
import { exitingOnSignals } from "./scratchFolder";
import {
  askRegistry,
  inspect,
  isBuiltByToolchain,
  labelsOf,
  lookUp,
  VERSION_LABEL,
} from "./inspect";
import {
  type BaseImageAction,
  type BaseImageRefs,
  type BaseImageStatus,
  chooseAction,
  type LocalImage,
} from "./plan";
import { withoutDigest } from "./recipes";
import { UnreachableRegistries } from "./unreachableRegistries";

export interface BaseImage {
  readonly ref: string;
  /**
   * "tagged": present under its tag, with a digest that can't be checked. "pullable": a registry serves it, and the program pulls it.
   * "fallback": built from packages.
   */
  readonly how: "present" | "tagged" | "pullable" | "fallback";
}

/**
 * Makes every base image available: present, or pullable from a registry. Official images have priority: a fallback image is built
 * only if no registry is reachable, and is removed as soon as one is.
 */
export async function ensureBaseImages(
  refs: BaseImageRefs,
  docker: Docker,
  report: Reporter,
): Promise<BaseImage[]> {
  const statuses = await inspect(refs, docker);
  const plan = statuses.map((status) => ({ ...status, action: chooseAction(status) }));

  for (const { ref, action } of plan) {
    if (action === "remove fallback") await removeFallback(withoutDigest(ref), docker, report);
  }
  const toBuild = plan.filter(({ action }) => action === "build").map(({ image }) => image);
  if (toBuild.length > 0) {
    await exitingOnSignals(() => buildFallbacks(toBuild, refs, docker, report));
  }
  const fallbacks = plan
    .filter(({ action }) => usesFallback(action))
    .map(({ ref }) => withoutDigest(ref));
  if (fallbacks.length > 0) {
    report.note(
      `No registry is reachable: using fallback images, built from packages, for ${fallbacks.join(", ")}.`,
    );
    await noteLag(fallbacks, docker, report);
  }
  const result = plan.map(({ ref, action, local }) => ({ ref, how: resultOf(action, local) }));
  noteTagged(result, report);
  return result;
}

/** Names the fallback images that have another version than the official ones. */
async function noteLag(tags: readonly string[], docker: Docker, report: Reporter): Promise<void> {
  for (const tag of tags) {
    const version = (await labelsOf(tag, docker))?.[VERSION_LABEL];
    if (version === undefined) continue;
    report.note(
      `The fallback image ${tag} lags behind: it has version ${version}, the newest one that the packages hold. Don't serve customers with it.`,
    );
  }
}

/** Names the images that may not be the ones with the references' digests. */
function noteTagged(images: readonly BaseImage[], report: Reporter): void {
  for (const { ref } of images.filter(({ how }) => how === "tagged")) {
    report.note(
      `No registry is reachable: using the image that Docker has under the tag ${withoutDigest(ref)}; its digest can't be checked.`,
    );
  }
}

/** Returns the references with a digest in whose place the daemon has an image under the tag only. */
export function usedByTag(images: readonly BaseImage[]): string[] {
  return images
    .filter(({ ref, how }) => withoutDigest(ref) !== ref && /^(tagged|fallback)$/.test(how))
    .map(({ ref }) => ref);
}

/** Returns the same as {@link usedByTag} for base images as they are, without providing any. */
export async function imagesUsedByTag(refs: BaseImageRefs, docker: Docker): Promise<string[]> {
  const pinned = Object.values(refs).filter((ref) => withoutDigest(ref) !== ref);
  const unreachable = new UnreachableRegistries(docker.host);
  const found = await Promise.all(
    pinned.map(async (ref) => {
      const { labels, exact } = await lookUp(ref, docker);
      if (exact || labels === undefined) return [];
      if (isBuiltByToolchain(labels)) return [ref];
      const { answer } = await askRegistry(ref, docker, unreachable);
      return answer === "unreachable" ? [ref] : [];
    }),
  );
  unreachable.save();
  return found.flat();
}

/** Returns the availability of the base images without changing anything. */
export async function inspectBaseImages(
  refs: BaseImageRefs,
  docker: Docker,
): Promise<BaseImageStatus[]> {
  const statuses = await inspect(refs, docker);
  return statuses.map(({ image: _, ...status }) => status);
}

/** Removes the tag of a fallback image. Containers and images that are based on it keep their layers. */
async function removeFallback(ref: string, docker: Docker, report: Reporter): Promise<void> {
  const refusal = await docker.remove(`/images/${ref}`, { force: 1, noprune: 1 });
  if (refusal !== undefined) {
    throw new CliError(
      `The fallback image ${ref} can't be removed to make room for the official image: ${refusal}`,
      { hint: `Remove it: docker rmi -f ${ref}` },
    );
  }
  report.note(`A registry serves ${ref}: removed the fallback image built from packages.`);
}

function usesFallback(action: BaseImageAction): boolean {
  return action === "build" || action === "use fallback";
}

function resultOf(action: BaseImageAction, local: LocalImage): BaseImage["how"] {
  if (action === "use") return local === "tagged" ? "tagged" : "present";
  return usesFallback(action) ? "fallback" : "pullable";
}
