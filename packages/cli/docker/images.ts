import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Checkpoint } from "../state/checkpoint";
import { UsedImages } from "../state/usedImages";
import { readStackCheckpoint } from "../state/state";
import { isOwnContainer, ownResources } from "../state/ownResources";
import { LABEL, listAllContainers, runnable } from "./containers";
import { Docker, withLabels } from "@store/docker/docker";
import { Session } from "../project/session";

/**
 * Removes the images that the stack has used, unless a container or another stack of this workspace uses them. Base images remain. All
 * images remain while Docker has containers of another checkout: its state, which can't be read here, may contain the same images.
 *
 * @param before State of the destroyed stack.
 * @returns the names of the removed images.
 */
export async function removeUnusedImages(
  session: Session,
  docker: Docker,
  before: Checkpoint | undefined,
): Promise<string[]> {
  const { project, stack, state } = session;
  const states = otherStates(session);
  if (await hasForeignContainers(docker, [before, ...states])) return [];
  const usedImages = new UsedImages(state, stack.name);
  const [images, containers] = await Promise.all([
    docker.list<ImageSummary>("/images/json", {
      filters: withLabels({ [LABEL.project]: project.name }),
    }),
    docker.list<{ ImageID: string }>("/containers/json", { all: true }),
  ]);
  const inUse = new Set([...containers.map(({ ImageID }) => ImageID), ...states.flatMap(imageIds)]);
  const own = new Set([...imagesIn(before).map(({ name }) => name), ...usedImages.names()]);
  const removed: string[] = [];
  for (const name of removable(images, inUse, own)) {
    // Docker refuses to remove an image that is in use again.
    if ((await docker.remove(`/images/${encodeURI(name)}`)) === undefined) removed.push(name);
  }
  usedImages.clear();
  return removed;
}

/**
 * Returns the names of the images to remove.
 *
 * @param inUse IDs of images.
 * @param own Names of the images that the stack has used.
 */
export function removable(
  images: readonly Pick<ImageSummary, "Id" | "RepoTags">[],
  inUse: ReadonlySet<string>,
  own: ReadonlySet<string>,
): string[] {
  return images
    .filter(({ Id }) => !inUse.has(Id))
    .flatMap(({ RepoTags }) => (RepoTags ?? []).filter((tag) => own.has(tag)));
}

/** Returns the images in a state. */
export function imagesIn(
  checkpoint: Checkpoint | undefined,
): { readonly id: string; readonly name: string }[] {
  return (checkpoint?.resources ?? []).flatMap(({ outputs }) => {
    const { imageId: id, name } = outputs ?? {};
    return typeof id === "string" && typeof name === "string" ? [{ id, name }] : [];
  });
}

function imageIds(checkpoint: Checkpoint | undefined): string[] {
  return imagesIn(checkpoint).map(({ id }) => id);
}

async function hasForeignContainers(
  docker: Docker,
  states: readonly (Checkpoint | undefined)[],
): Promise<boolean> {
  const own = states.map((checkpoint) => ownResources(checkpoint));
  return runnable(await listAllContainers(docker)).some(
    (container) => !own.some((resources) => isOwnContainer(resources, container)),
  );
}

/** States of this workspace's stacks after the stack was destroyed. Empty for a backend of the user's. */
function otherStates({ state, project }: Session): (Checkpoint | undefined)[] {
  if (state.backend.kind === "user") return [];
  const folder = join(state.backend.folder, ".pulumi", "stacks", project.name);
  return stackNamesIn(folder).map((stack) => readStackCheckpoint(state, stack));
}

function stackNamesIn(folder: string): string[] {
  try {
    return readdirSync(folder).flatMap((file) => /^(.+)\.json$/.exec(file)?.[1] ?? []);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

interface ImageSummary {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
}
