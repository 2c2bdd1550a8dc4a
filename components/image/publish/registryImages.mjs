/** Images in the registry. */
import { docker, LOOK_SECONDS } from "./docker.mjs";
import { isInsecure } from "./dockerConfig.mjs";
import { image, platform, registry } from "./inputs.mjs";
import { tag } from "./localImages.mjs";
import { refused } from "./refused.mjs";

/**
 * @param {string} name
 * @returns {Promise<string | undefined>} the image's digest, or undefined if the registry doesn't have the image
 */
export async function lookUp(name) {
  // Docker's client doesn't know the daemon's insecure-registries. https://github.com/docker/cli/issues/4484
  const insecure = (await isInsecure(registry, docker)) ? ["--insecure"] : [];
  const { code, output } = await docker(["manifest", "inspect", "--verbose", ...insecure, name], {
    quiet: true,
    seconds: LOOK_SECONDS,
  });
  if (code === 0) {
    const manifests = [JSON.parse(output.slice(Math.max(0, output.search(/[[{]/))))].flat();
    const { Descriptor: ours } =
      manifests.find(
        ({ Descriptor: { platform: of } }) => `${of.os}/${of.architecture}` === platform,
      ) ?? {};
    if (ours !== undefined) return ours.digest;
    throw new Error(
      `the registry has the image, but not for ${platform}: remove it there, or choose another namespace (store:registry)`,
    );
  }
  if (/no such manifest|manifest unknown|not found|name unknown/i.test(output)) return undefined;
  throw refused(output);
}

/**
 * @param {string} name
 * @returns {Promise<string>} the digest
 */
export async function push(name) {
  const { code, output } = await docker(["push", name]);
  if (code !== 0) throw refused(output);
  const digest = /digest: (sha256:[0-9a-f]{64})/.exec(output)?.[1];
  if (digest === undefined) throw new Error("the registry returned no digest");
  return digest;
}

/**
 * Gives the pushed image a tag of its own: another machine's stack moves the content tag to its own build, and registries that clean up
 * delete manifests without a tag, also one that is deployed.
 *
 * @param {string} digest
 * @returns {Promise<string>} the digest that has the tag: another one only if Docker has pulled the image and pushes it in another format
 */
export async function keep(digest) {
  const ownTag = `${image}-${digest.slice("sha256:".length, 19)}`;
  // A registry with immutable tags refuses a second push of the same.
  if ((await lookUp(ownTag)) === digest) return digest;
  await tag(image, ownTag);
  const tagged = await push(ownTag);
  // A second name here would keep the image from being removed.
  await docker(["rmi", ownTag], { quiet: true });
  return tagged;
}
