/** Builds the image to publish. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { docker, lastLines } from "./docker.mjs";
import { from, image, platform } from "./inputs.mjs";
import { fetchedBase } from "./localImages.mjs";

export async function build() {
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
