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
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { az, registryOf } from "../../registry/azure/az.mjs";
import { runDocker } from "./docker.mjs";
import { isInsecure, writeConfig } from "./dockerConfig.mjs";

/** @typedef {{username: string, password: string}} Login */

/** Time limit in seconds for a look-up in the registry. */
const LOOK_SECONDS = 60;
/** Fixed user name that tells Azure registries that the password is an access token. */
const TOKEN_USER = "00000000-0000-0000-0000-000000000000";

const image = required("IMAGE");
const platform = required("PLATFORM");
const from = JSON.parse(required("FROM"));
const access = JSON.parse(await text(process.stdin));
const registry = access.address;

// The docker command reads credentials only from a configuration folder. This one is temporary; the user's own stays untouched.
const folder = mkdtempSync(join(tmpdir(), "store-publish-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

try {
  const login = await loginOf(access);
  writeConfig(folder, registry, login);
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

/** Checks the credentials before a build that takes minutes. A look-up wouldn't, because Docker falls back to anonymous access. */
async function logIn(/** @type {Login} */ login) {
  const { code, output } = await docker(
    ["login", "--username", login.username, "--password-stdin", registry],
    { quiet: true, seconds: LOOK_SECONDS, input: login.password },
  );
  if (code !== 0) throw refused(output);
}

/**
 * @param {string} name
 * @returns {Promise<string | undefined>} the image's digest, or undefined if the registry doesn't have the image
 */
async function lookUp(name) {
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
 * Docker notes with an image under which digests it has pushed it, and also under which it has pulled it. So this is also true for an
 * image of somebody else that the user of this machine has pulled by its tag (`docker pull NAME:TAG`); the store pulls by digest only.
 *
 * @param {string} digest
 */
async function isKnownHere(digest) {
  const format = ["--format", "{{json .RepoDigests}}"];
  const { code, output } = await docker(["image", "inspect", ...format, image], { quiet: true });
  return code === 0 && output.includes(`"${withoutTag(image)}@${digest}"`);
}

/** @param {string} name */
function withoutTag(name) {
  return name.replace(/:[^:/]*$/, "");
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

/**
 * @param {string} name
 * @returns {Promise<string>} the digest
 */
async function push(name) {
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
async function keep(digest) {
  const ownTag = `${image}-${digest.slice("sha256:".length, 19)}`;
  // A registry with immutable tags refuses a second push of the same.
  if ((await lookUp(ownTag)) === digest) return digest;
  await tag(image, ownTag);
  const tagged = await push(ownTag);
  // A second name here would keep the image from being removed.
  await docker(["rmi", ownTag], { quiet: true });
  return tagged;
}

async function build() {
  const builder = await buildingDocker();
  // BuildKit in an older daemon ignores the daemon's certs.d and can't pull from the registry, but it uses local images.
  for (const base of from.bases ?? []) await fetchedBase(base);
  const args = [
    ...["build", "--tag", image, "--platform", platform, "--progress", "plain"],
    ...["--file", join(from.context, from.dockerfile)],
    ...pairs("--build-arg", from.buildArgs),
    ...pairs("--label", from.labels),
    ...secrets(from.secrets ?? []),
    from.context,
  ];
  const { code, output } = await docker(args, { command: builder });
  if (code === 0) return;
  throw new Error(`${originalDockerfile()} can't be built\n${lastLines(output, 15)}`);
}

/** Returns the path in the repository of the Dockerfile, which was copied with the build context (components/image/context/stagedContext.ts). */
function originalDockerfile() {
  const path = join(from.context, from.dockerfile);
  return path.replace(/^\.store\/contexts\/[^/]+\/[^/]+\/dockerfile\//, "");
}

/**
 * Finds a docker command with BuildKit, which the Dockerfiles need. BuildKit is built in before version 23 and the plugin buildx since;
 * a docker command installed beside the distribution's own one often lacks the plugin.
 *
 * @returns {Promise<string>} the first docker command on PATH with BuildKit
 */
async function buildingDocker() {
  const commands = (process.env.PATH ?? "")
    .split(delimiter)
    .map((place) => join(place, "docker"))
    .filter((command) => existsSync(command));
  for (const command of new Set(commands)) {
    const plugin = await docker(["buildx", "version"], { quiet: true, command });
    if (plugin.code === 0) return command;
    const version = await docker(["--version"], { quiet: true, command });
    if (Number(/version (\d+)/.exec(version.output)?.[1] ?? Infinity) < 23) return command;
  }
  throw new Error(
    "building images needs docker's plugin buildx. Debian, Ubuntu: apt-get install docker-buildx; otherwise https://docs.docker.com/go/buildx/",
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
 * Provides an image that this stack has published, under its tag: an older BuildKit doesn't find an image by digest.
 *
 * @param {string} pinned Name, tag and digest.
 */
async function fetchedBase(pinned) {
  const [tagged = "", digest] = pinned.split("@");
  const format = ["--format", "{{json .RepoDigests}}"];
  const local = await docker(["image", "inspect", ...format, tagged], { quiet: true });
  const byDigest = `${withoutTag(tagged)}@${digest}`;
  if (local.code === 0 && local.output.includes(`"${byDigest}"`)) return;
  await fetched(byDigest);
  await tag(byDigest, tagged);
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
async function copy(source) {
  await fetched(source);
  await refuseFallback(source);
  await tag(source, image);
}

/**
 * @param {string} source
 * @param {string} name
 */
async function tag(source, name) {
  const tagged = await docker(["tag", source, name], { quiet: true });
  if (tagged.code !== 0)
    throw new Error(`${source} can't be tagged\n${lastLines(tagged.output, 5)}`);
}

/**
 * @param {string} output
 * @returns {Error}
 */
function refused(output) {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  // Docker prints the progress of each layer.
  const ofLayers = lines.filter((line) => /^[0-9a-f]{12}: /.test(line));
  const why = lines.filter((line) => !ofLayers.includes(line)).slice(-3);
  const because = (/** @type {string} */ what) => new Error([what, ...why].join("\n"));
  if (/unauthorized|denied|authentication required|no basic auth|incorrect username/i.test(output))
    return because(loginRejected());
  if (/server gave HTTP response to HTTPS client/i.test(output))
    return because(
      `the registry ${registry} speaks plain HTTP, which this machine's Docker allows only for its "insecure-registries" (daemon.json)`,
    );
  if (/no space left/i.test(output)) return because("a disk is full, here or in the registry");
  if (
    !/connection refused|no such host|no route|timeout|deadline|EOF|reset|x509|TLS|unreachable|canceled/i.test(
      output,
    )
  )
    return because(`the registry ${registry} refuses the image`);
  return ofLayers.length > 0
    ? because(
        `the connection to the registry ${registry} broke; the registry keeps the layers that it has, and the next up continues from there`,
      )
    : because(`the registry ${registry} can't be reached (store:registry: address)`);
}

function loginRejected() {
  if (access.azureRegistry !== undefined)
    return `this Azure login may not push to the registry ${registry}: it needs the role AcrPush, Contributor or Owner there`;
  return access.username
    ? `the registry ${registry} rejects the login (store:registry: username, password)`
    : `the registry ${registry} rejects this machine's docker login: run docker login ${registry}, or set store:registry's username and password`;
}

/**
 * @param {string[]} args
 * @param {Partial<import("./docker.mjs").Options>} [options]
 */
function docker(args, options) {
  return runDocker(args, { ...options, configFolder: folder });
}

/**
 * @param {{username?: string, password?: string, azureRegistry?: string}} access
 * @returns {Promise<Login | undefined>} undefined for the user's own login
 */
async function loginOf({ username, password, azureRegistry }) {
  if (azureRegistry !== undefined) return azureLogin();
  return username && password ? { username, password } : undefined;
}

/** Returns a login that is valid for three hours. */
async function azureLogin() {
  const { name, subscription } = registryOf(access.azureRegistry);
  const password = await az([
    ...["acr", "login", "--subscription", subscription, "--name", name, "--expose-token"],
    ...["--query", "accessToken", "--output", "tsv"],
  ]);
  return { username: TOKEN_USER, password };
}

/**
 * @param {{id: string, env?: string, src?: string}[]} list
 * @returns {string[]}
 */
function secrets(list) {
  return list.flatMap(({ id, env, src }) => [
    "--secret",
    env === undefined ? `id=${id},src=${src}` : `id=${id},env=${env}`,
  ]);
}

/**
 * @param {string} flag
 * @param {Record<string, string>} values
 */
function pairs(flag, values) {
  return Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);
}

/**
 * @param {string} output
 * @param {number} count
 */
function lastLines(output, count) {
  return output.trimEnd().split("\n").slice(-count).join("\n");
}

/**
 * @param {string} name
 * @returns {string}
 */
function required(name) {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} isn't set`);
  return value;
}
