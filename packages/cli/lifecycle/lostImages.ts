import type { Docker } from "@store/docker/docker";
import type { DockerState } from "../docker/drift";
import { imagesIn } from "../docker/images";
import type { Checkpoint } from "../state/checkpoint";
import type { Reporter } from "../terminal/terminal";

/**
 * Gives the built images of the state their names back that were removed by hand (`docker rmi -f`). Without its name, a refresh takes an image
 * for deleted, and the next build would be another image.
 */
export async function restoreNames(
  docker: Docker,
  checkpoint: Checkpoint,
  images: DockerState["images"],
  report: Reporter,
): Promise<void> {
  const existing = new Set([...images.values()].flat());
  for (const { id, name } of imagesIn(checkpoint).filter(isBuilt)) {
    if (!images.has(id) || existing.has(name)) continue;
    const [, repo = "", tag = ""] = /^(.+):([^:/]+)$/.exec(name) ?? [];
    const query = new URLSearchParams({ repo, tag }).toString();
    const refusal = await docker.post(`/images/${encodeURI(id)}/tag?${query}`);
    if (refusal === undefined) report.note(`image ${name} had lost its name: restored`);
  }
}

/** Returns the names of the built images in the state that Docker doesn't have, for example because another stack's `down` removed them. */
export async function findLostImages(docker: Docker, checkpoint: Checkpoint): Promise<string[]> {
  const images = await docker.list<{ RepoTags?: string[] | null }>("/images/json");
  const existing = new Set(images.flatMap(({ RepoTags }) => RepoTags ?? []));
  return imagesIn(checkpoint)
    .filter(isBuilt)
    .map(({ name }) => name)
    .filter((name) => !existing.has(name));
}

/** Checks for an image that the host has built (components/image/builtImages.ts). Others are pulled again. */
function isBuilt({ name }: { readonly name: string }): boolean {
  return name.startsWith("store/") && !name.includes("@");
}
