import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Checkpoint } from "../state/checkpoint";
import { UsedImages } from "../state/usedImages";
import { readStackCheckpoint } from "../state/state";
import { LABEL } from "../../../components/container/labelNames";
import { Docker, withLabels } from "@store/docker/docker";
import { Session } from "../project/session";

/**
 * Removes the images that the stack has used, unless a container or another stack of this workspace uses them or an image that is built
 * on them. Third-party images remain.
 *
 * @param before State of the destroyed stack.
 * @returns the names of the removed images, or their IDs if they have lost their names, and why Docker refused to remove others.
 */
export async function removeUnusedImages(
  session: Session,
  docker: Docker,
  before: Checkpoint | undefined,
): Promise<{ readonly removed: readonly string[]; readonly refused: readonly string[] }> {
  const usedImages = new UsedImages(session.state, session.stack.name);
  const [images, containers] = await Promise.all([
    docker.list<ImageSummary>("/images/json", {
      filters: withLabels({ [LABEL.project]: session.project.name }),
    }),
    docker.list<{ ImageID: string }>("/containers/json", { all: true }),
  ]);
  const inUse = new Set([
    ...containers.map(({ ImageID }) => ImageID),
    ...otherStates(session).flatMap((state) => imagesIn(state).map(({ id }) => id)),
  ]);
  const inState = imagesIn(before);
  const own = {
    names: new Set([...inState.map(({ name }) => name), ...usedImages.names()]),
    ids: new Set(inState.map(({ id }) => id)),
  };
  const candidates = removable(images, inUse, own);
  const bases = await basesOf(docker, inUse, candidates);
  const removed: string[] = [];
  const refused: string[] = [];
  for (const { name } of candidates.filter(({ id }) => !bases.has(id))) {
    // For example, the `up` of another checkout uses the image again.
    const refusal = await docker.remove(`/images/${encodeURI(name)}`);
    if (refusal === undefined) removed.push(name);
    else refused.push(`${name} (${refusal})`);
  }
  const left = images
    .flatMap(({ RepoTags }) => RepoTags ?? [])
    .filter((name) => own.names.has(name));
  usedImages.replace(left.filter((name) => !removed.includes(name)));
  return { removed, refused };
}

/** A name of an image, or the ID of an image without a name. */
interface Removable {
  readonly id: string;
  readonly name: string;
}

/**
 * Returns the images to remove.
 *
 * @param inUse IDs of images.
 * @param own Names of the images that the stack has used, and IDs of those in its state.
 */
export function removable(
  images: readonly Pick<ImageSummary, "Id" | "RepoTags">[],
  inUse: ReadonlySet<string>,
  own: { readonly names: ReadonlySet<string>; readonly ids: ReadonlySet<string> },
): Removable[] {
  return images
    .filter(({ Id }) => !inUse.has(Id))
    .flatMap(({ Id: id, RepoTags }) => {
      const names = (RepoTags ?? []).filter((name) => name !== "<none>:<none>");
      if (names.length === 0) return own.ids.has(id) ? [{ id, name: id }] : [];
      return names.filter((name) => own.names.has(name)).map((name) => ({ id, name }));
    });
}

/** Returns the IDs of the candidates on which images in use are built. No container of another checkout uses a base image itself. */
async function basesOf(
  docker: Docker,
  inUse: ReadonlySet<string>,
  candidates: readonly Removable[],
): Promise<ReadonlySet<string>> {
  if (candidates.length === 0) return new Set();
  const layersOf = async (id: string): Promise<string> => {
    const image = await docker.get<ImageInspection>(`/images/${encodeURI(id)}/json`);
    return (image?.RootFS?.Layers ?? []).map((layer) => `${layer} `).join("");
  };
  const used = await Promise.all([...inUse].map(layersOf));
  const ids = [...new Set(candidates.map(({ id }) => id))];
  const bases = await Promise.all(
    ids.map(async (id) => {
      const layers = await layersOf(id);
      return layers !== "" && used.some((other) => other.startsWith(layers)) ? [id] : [];
    }),
  );
  return new Set(bases.flat());
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

interface ImageInspection {
  readonly RootFS?: { readonly Layers?: readonly string[] };
}

interface ImageSummary {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
}
