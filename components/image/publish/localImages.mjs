/** Images of this machine's Docker. */
import { docker, lastLines } from "./docker.mjs";
import { image, platform, registry } from "./inputs.mjs";

/**
 * Docker notes with an image under which digests it has pushed it, and also under which it has pulled it. So this is also true for an
 * image of somebody else that the user of this machine has pulled by its tag (`docker pull NAME:TAG`); the store pulls by digest only.
 *
 * @param {string} digest
 */
export async function isKnownHere(digest) {
  const format = ["--format", "{{json .RepoDigests}}"];
  const { code, output } = await docker(["image", "inspect", ...format, image], { quiet: true });
  return code === 0 && output.includes(`"${withoutTag(image)}@${digest}"`);
}

/**
 * Provides an image that this stack has published, under its tag: an older BuildKit doesn't find an image by digest.
 *
 * @param {string} pinned Name, tag and digest.
 */
export async function fetchedBase(pinned) {
  const [tagged = "", digest] = pinned.split("@");
  const format = ["--format", "{{json .RepoDigests}}"];
  const local = await docker(["image", "inspect", ...format, tagged], { quiet: true });
  const byDigest = `${withoutTag(tagged)}@${digest}`;
  if (local.code === 0 && local.output.includes(`"${byDigest}"`)) return;
  await fetched(byDigest);
  await tag(byDigest, tagged);
}

/**
 * Gives an image the name of the one to publish.
 *
 * @param {string} source
 */
export async function copy(source) {
  await fetched(source);
  await refuseFallback(source);
  await tag(source, image);
}

/**
 * A fallback image is for trying the store out without a registry. In a registry, other stacks would take it for the official one.
 *
 * @param {string} source
 */
async function refuseFallback(source) {
  if (process.env.STORE_PUBLISH_FALLBACKS === "1") return;
  const format = ["--format", '{{index .Config.Labels "dev.store.toolchain"}}'];
  const { code, output } = await docker(["image", "inspect", ...format, source], { quiet: true });
  if (code === 0 && /^(fallback|stand-in)$/.test(output.trim()))
    throw new Error(
      `${source} is a fallback image here, built from packages because no registry with the official one was reachable, and isn't pushed to ${registry}: give this machine's Docker access to the official image, or, for a trial, set STORE_PUBLISH_FALLBACKS=1`,
    );
}

/** @param {string} source */
async function fetched(source) {
  const present = await docker(["image", "inspect", "--format", "{{.Id}}", source], {
    quiet: true,
  });
  if (present.code === 0) return;
  const pulled = await docker(["pull", "--platform", platform, source]);
  if (pulled.code !== 0)
    throw new Error(
      `the image ${source}, from which it is built, can't be pulled\n${lastLines(pulled.output, 5)}`,
    );
}

/**
 * @param {string} source
 * @param {string} name
 */
export async function tag(source, name) {
  const tagged = await docker(["tag", source, name], { quiet: true });
  if (tagged.code !== 0)
    throw new Error(`${source} can't be tagged\n${lastLines(tagged.output, 5)}`);
}

/** @param {string} name */
function withoutTag(name) {
  return name.replace(/:[^:/]*$/, "");
}
