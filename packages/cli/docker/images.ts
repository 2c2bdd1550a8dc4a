import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Checkpoint } from "../state/checkpoint";
import { readStackCheckpoint } from "../state/state";
import { LABEL } from "./containers";
import { Docker, withLabels } from "./docker";
import { Session } from "../project/session";

/**
 * Removes the images that this project has built and that neither a container, of whatever stack, nor another stack's record
 * needs. Base images don't carry the project's label, and stay.
 *
 * @param before The record of the stack that has gone: the names in it are ours, however new they are.
 * @returns their names.
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
  const used = new Set([...containers.map(({ ImageID }) => ImageID), ...recorded(session)]);
  const unused = await Promise.all(
    images
      .filter(({ Id }) => !used.has(Id))
      .map(async (image) => ({ ...image, taggedAt: await taggedAt(docker, image) })),
  );
  const names = removable(unused, new Set(imagesIn(before).map(({ name }) => name)), Date.now());
  const removed: string[] = [];
  for (const name of names) {
    // Docker's refusal means that somebody needs it after all.
    if ((await docker.remove(`/images/${encodeURI(name)}`)) === undefined) removed.push(name);
  }
  return removed;
}

/** For so long an image of another checkout may be on its way into a container or a registry. */
const YOUNG_MS = 10 * 60_000;

/** The names that may go: of an image that somebody has just built or found built, only those that are ours. */
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

/** When it was last given a name, in ms since 1970: one whose layers were all there is much older than the build that names it. */
async function taggedAt(docker: Docker, { Id, Created }: ImageSummary): Promise<number> {
  const image = await docker.get<{ Metadata?: { LastTagTime?: string } }>(`/images/${Id}/json`);
  const tagged = Date.parse(image?.Metadata?.LastTagTime ?? "");
  return Math.max(Created * 1_000, Number.isNaN(tagged) ? 0 : tagged);
}

/** IDs of the images in the records of this checkout's stacks. */
function recorded(session: Session): string[] {
  const { state, project } = session;
  if (state.backend.kind === "own") return [];
  return stackNamesIn(join(state.backend.folder, ".pulumi", "stacks", project.name)).flatMap(
    (stack) => imagesIn(readStackCheckpoint(state, stack)).map(({ id }) => id),
  );
}

function imagesIn(
  record: Checkpoint | undefined,
): { readonly id: string; readonly name: string }[] {
  return (record?.resources ?? []).flatMap(({ outputs }) => {
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
