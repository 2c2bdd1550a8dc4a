import { readdirSync } from "node:fs";
import { join } from "node:path";
import { checkpointOf } from "./state";
import { LABEL } from "./containers";
import { Docker, withLabels } from "./docker";
import { Session } from "./session";

/**
 * Removes the images that this project has built and that neither a container, of whatever stack, nor another stack's record
 * needs. Base images don't carry the project's label, and stay.
 *
 * @returns their names.
 */
export async function removeUnusedImages(session: Session, docker: Docker): Promise<string[]> {
  const { project } = session;
  const [images, containers] = await Promise.all([
    docker.list<ImageSummary>("/images/json", {
      filters: withLabels({ [LABEL.project]: project.name }),
    }),
    docker.list<{ ImageID: string }>("/containers/json", { all: true }),
  ]);
  const used = new Set([...containers.map(({ ImageID }) => ImageID), ...recorded(session)]);
  const removed: string[] = [];
  for (const image of images.filter(({ Id }) => !used.has(Id))) {
    const tags = (image.RepoTags ?? []).filter((tag) => tag !== "<none>:<none>");
    for (const name of tags.length > 0 ? tags : [image.Id]) {
      // Docker's refusal means that somebody needs it after all.
      if ((await docker.remove(`/images/${encodeURI(name)}`)) === undefined) removed.push(name);
    }
  }
  return removed;
}

/** IDs of the images in the records of this checkout's stacks. */
function recorded(session: Session): string[] {
  const { state, project } = session;
  if (state.backend.kind === "own") return [];
  return stackNamesIn(join(state.backend.folder, ".pulumi", "stacks", project.name)).flatMap(
    (stack) =>
      checkpointOf(state, stack)?.resources.flatMap(({ outputs }) => {
        const id = outputs?.["imageId"];
        return typeof id === "string" ? [id] : [];
      }) ?? [],
  );
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
