import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { Reporter } from "../system/report";
import { buildFallbacks } from "./buildFallbacks";
import { exitingOnSignals } from "./scratchFolder";
import { availableLabels, inspect, isBuiltByToolchain, labelsOf, VERSION_LABEL } from "./inspect";
import {
  type BaseImageAction,
  type BaseImageRefs,
  type BaseImageStatus,
  chooseAction,
} from "./plan";
import { withoutDigest } from "./recipes";

export interface BaseImage {
  readonly ref: string;
  /** "pullable": a registry serves it, and the program pulls it. "fallback": built from packages. */
  readonly how: "present" | "pullable" | "fallback";
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
  return plan.map(({ ref, action }) => ({ ref, how: resultOf(action) }));
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

/** Returns the references with a digest in whose place the daemon has a fallback image, which has a tag only. */
export async function fallbacksInUse(refs: BaseImageRefs, docker: Docker): Promise<string[]> {
  const found = await Promise.all(
    Object.values(refs)
      .filter((ref) => withoutDigest(ref) !== ref)
      .map(async (ref) => (isBuiltByToolchain(await availableLabels(ref, docker)) ? [ref] : [])),
  );
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

function resultOf(action: BaseImageAction): BaseImage["how"] {
  if (action === "use") return "present";
  return usesFallback(action) ? "fallback" : "pullable";
}
