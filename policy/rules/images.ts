import { definePolicy } from "../policy";
import { isDevelopment, listAt, PlannedResource, textAt } from "../resource";

/** Names of the images that a resource builds, pulls or runs. Not those that it pushes, which have the names of built ones. */
function imagesOf({ type, inputs }: PlannedResource): string[] {
  const named = (path: string): string[] => {
    const name = textAt(inputs, path);
    return name === undefined ? [] : [name];
  };
  switch (type) {
    case "docker:index/container:Container":
      return named("image");
    case "docker:index/remoteImage:RemoteImage":
      return named("name");
    case "docker:index/service:Service":
      return named("taskSpec.containerSpec.image");
    case "docker:index/image:Image":
      return named("imageName");
    case "docker-build:index:Image":
      return listAt(inputs, "tags").filter((tag) => typeof tag === "string");
    default:
      return [];
  }
}

/** Returns true for a name with a digest, and for the ID of an image. */
function isByDigest(image: string): boolean {
  return /(^|@)sha256:[0-9a-f]{64}$/.test(image);
}

/** Returns the tag of a name without a digest; "latest" if it has none. */
function tagOf(image: string): string {
  return /:([^:/@]+)$/.exec(image)?.[1] ?? "latest";
}

export const noLatest = definePolicy({
  name: "image-not-latest",
  description: "No image has the tag latest.",
  settings: {},
  check: (resource) =>
    imagesOf(resource)
      .filter((image) => !isByDigest(image) && tagOf(image) === "latest")
      .map(
        (image) =>
          `uses ${image}, whose content changes without an \`up\`. Name an exact version: NAME:VERSION, or NAME:VERSION@sha256:DIGEST.`,
      ),
});

/** Tag of an image that the program builds: components/image/contentTag.ts. */
const CONTENT_TAG = /^(live-)?[0-9a-f]{16}$/;

export const pinned = definePolicy({
  name: "image-pinned",
  description: "Outside development, every image has a digest or a content tag.",
  settings: {},
  check: (resource) =>
    isDevelopment(resource)
      ? []
      : imagesOf(resource)
          .filter((image) => !isByDigest(image) && !CONTENT_TAG.test(tagOf(image)))
          .map(
            (image) =>
              `uses ${image}, a tag that can be moved to other content. Deploy from a registry, which resolves tags to digests ` +
              `(store:registry), or name the digest: ${image}@sha256:DIGEST (docker image inspect ${image} prints it).`,
          ),
});
