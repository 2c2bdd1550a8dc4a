import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Checkpoint } from "../state/checkpoint";
import { readStackCheckpoint } from "../state/state";
import { LABEL } from "./containers";
import { Docker, withLabels } from "./docker";
import { Session } from "../project/session";

/**
 * Removes the images of this project that no container and no stack of this workspace uses. Base images don't have the project's
 * label and remain.
 *
 * @param before State of the destroyed stack. Its images are removed even if they are new.
 * @returns the names of the removed images.
 */
export async function removeUnusedImages(
  session: Session,
  docker: Docker,
  before: Checkpoint | undefined,
): Promise<string[]> {
  const { project } = session;
  const [images, containers] = await Promise.all([
    docker.list<ImageSummary>("/images/json", {
      filters: withLabels({ [LABEL.project]: project.name }),
    }),
    docker.list<{ ImageID: string }>("/containers/json", { all: true }),
  ]);
  const used = new Set([...containers.map(({ ImageID }) => ImageID), ...imagesInUse(session)]);
  const unused = await Promise.all(
    images
      .filter(({ Id }) => !used.has(Id))
      .map(async (image) => ({ ...image, taggedAt: await taggedAt(docker, image) })),
  );
  const names = removable(unused, new Set(imagesIn(before).map(({ name }) => name)), Date.now());
  const removed: string[] = [];
  for (const name of names) {
    // Docker refuses to remove an image that is in use again.
    if ((await docker.remove(`/images/${encodeURI(name)}`)) === undefined) removed.push(name);
  }
  return removed;
}

/** Age in milliseconds up to which another workspace may be about to use an image. */
const YOUNG_MS = 10 * 60_000;

/**
 * Returns the names (or IDs) of the images to remove.
 *
 * @param ours Names that may be removed even if the image is new.
 * @param now In milliseconds since 1970.
 */
export function removable(
  unused: readonly (Pick<ImageSummary, "Id" | "RepoTags"> & { readonly taggedAt: number })[],
  ours: ReadonlySet<string>,
  now: number,
): string[] {
  return unused.flatMap(({ Id, RepoTags, taggedAt }) => {
    const tags = (RepoTags ?? []).filter((tag) => tag !== "<none>:<none>");
    if (now - taggedAt < YOUNG_MS) return tags.filter((tag) => ours.has(tag));
    return tags.length > 0 ? tags : [Id];
  });
}

/** Time of the last build in milliseconds since 1970. A build whose layers are all cached only tags the old image. */
async function taggedAt(docker: Docker, { Id, Created }: ImageSummary): Promise<number> {
  const image = await docker.get<{ Metadata?: { LastTagTime?: string } }>(`/images/${Id}/json`);
  const tagged = Date.parse(image?.Metadata?.LastTagTime ?? "");
  return Math.max(Created * 1_000, Number.isNaN(tagged) ? 0 : tagged);
}

/** IDs of the images in the state of this workspace's stacks. */
function imagesInUse(session: Session): string[] {
  const { state, project } = session;
  if (state.backend.kind === "user") return [];
  return stackNamesIn(join(state.backend.folder, ".pulumi", "stacks", project.name)).flatMap(
    (stack) => imagesIn(readStackCheckpoint(state, stack)).map(({ id }) => id),
  );
}

function imagesIn(
  checkpoint: Checkpoint | undefined,
): { readonly id: string; readonly name: string }[] {
  return (checkpoint?.resources ?? []).flatMap(({ outputs }) => {
    const { imageId: id, name } = outputs ?? {};
    return typeof id === "string" && typeof name === "string" ? [{ id, name }] : [];
  });
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
  /** In seconds since 1970. */
  readonly Created: number;
  readonly RepoTags?: readonly string[] | null;
}
