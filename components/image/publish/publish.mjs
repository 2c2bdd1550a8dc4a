/**
 * Ensures that the registry has an image, and prints the image's digest. Run by `PublishedImage` as a command of its own; therefore
 * plain JavaScript.
 *
 * If the registry has the tag already, and this machine's Docker has pushed that image (or somebody has pulled it by its tag here), nothing
 * is built or pushed. Anybody who may push to the registry can work out the tag, so an image that this machine doesn't know is replaced by
 * this checkout's own: the digest that is printed is that of an image of this machine's Docker. The state keeps it, so this script isn't
 * run again for the same content.
 * Environment: IMAGE (registry/name:tag), FROM (JSON of a `Build` or `Mirror`), PLATFORM, DOCKER_HOST, and for a daemon with TLS
 * DOCKER_TLS_VERIFY and DOCKER_CERT_PATH.
 * Standard input (JSON): the registry's address with either username and password, or azureRegistry, the resource ID of an Azure
 * registry, for which the user's Azure login is used. With neither, the user's own `docker login` is used, if there is one.
 *
 * On failure the last output is "not published: " with the cause in one line, followed by lines of evidence.
 */
import { build } from "./build.mjs";
import { configFolder } from "./docker.mjs";
import { writeConfig } from "./dockerConfig.mjs";
import { from, image, registry } from "./inputs.mjs";
import { copy, isKnownHere } from "./localImages.mjs";
import { logIn, loginToUse } from "./login.mjs";
import { keep, lookUp, push } from "./registryImages.mjs";

try {
  const login = await loginToUse();
  writeConfig(configFolder, registry, login);
  if (login !== undefined) await logIn(login);
  const found = await lookUp(image);
  const isOwn = found !== undefined && (await isKnownHere(found));
  process.stdout.write(await keep(isOwn ? found : await publish(found)));
} catch (error) {
  process.stderr.write(
    `\nnot published: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exitCode = 1;
}

/**
 * @param {string | undefined} other Digest of another image under the tag.
 * @returns {Promise<string>} the digest
 */
async function publish(other) {
  if (other !== undefined)
    process.stderr.write(
      `the registry has an image as ${image} (${other}) that this machine hasn't pushed: it isn't used, and replaced\n`,
    );
  if (from.image === undefined) await build();
  else await copy(from.image);
  return push(image);
}
