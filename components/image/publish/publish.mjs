/**
 * Sees to it that the registry has an image, and prints its digest. Run by `PublishedImage`; plain JavaScript, since the engine
 * starts it as a command of its own.
 *
 * An image that the registry has under this tag is neither built nor pushed. Environment: IMAGE (registry/name:tag), FROM (JSON: how to
 * build or mirror it), PLATFORM, DOCKER_HOST. Standard input as JSON: the registry's address, and username and password, or
 * azureRegistry, the id of one in Azure, to which the user's login to Azure leads.
 *
 * The last that it prints when it fails is "not published: " and why: in one line, then what shows it.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { az, registryOf } from "../../registry/azure/az.mjs";

/** @typedef {{code: number | null, output: string}} Ran */
/** @typedef {{username: string, password: string}} Login */

/** Seconds within which the registry has to say whether it has the image. */
const LOOK_SECONDS = 60;
/** By whom Azure's registries know that the password is a token. */
const TOKEN_USER = "00000000-0000-0000-0000-000000000000";

const image = required("IMAGE");
const platform = required("PLATFORM");
const from = JSON.parse(required("FROM"));
const access = JSON.parse(await text(process.stdin));
const registry = access.address;

// The docker command reads credentials from a folder only. This one is gone with us; the user's own is left alone.
const folder = mkdtempSync(join(tmpdir(), "store-publish-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

try {
  const login = access.azureRegistry === undefined ? access : await azureLogin();
  writeFileSync(join(folder, "config.json"), JSON.stringify(credentials(login)), { mode: 0o600 });
  borrowPlugins();
  await logIn(login);
  const found = await lookUp();
  process.stdout.write(found ?? (await publish()));
} catch (error) {
  process.stderr.write(
    `\nnot published: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exitCode = 1;
}

/** Before anything is built: that takes minutes, and to look an image up, Docker asks without credentials if it must. */
async function logIn(/** @type {Login} */ login) {
  if (login.username === "") return;
  const { code, output } = await docker(
    ["login", "--username", login.username, "--password-stdin", registry],
    { quiet: true, seconds: LOOK_SECONDS, input: login.password },
  );
  if (code !== 0) throw refused(output);
}

/** @returns {Promise<string | undefined>} the digest under which the registry has the image, if it does */
async function lookUp() {
  const { code, output } = await docker(["manifest", "inspect", "--verbose", image], {
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
      `the registry has it already, but not for ${platform}: remove it there, or choose another namespace (store:registry)`,
    );
  }
  if (/no such manifest|manifest unknown|not found|name unknown/i.test(output)) return undefined;
  throw refused(output);
}

/** @returns {Promise<string>} the digest */
async function publish() {
  if (from.image === undefined) await build();
  else await copy(from.image);
  const { code, output } = await docker(["push", image]);
  if (code !== 0) throw refused(output);
  const digest = /digest: (sha256:[0-9a-f]{64})/.exec(output)?.[1];
  if (digest === undefined) throw new Error("the registry didn't say which digest it has");
  return digest;
}

async function build() {
  const builder = await buildingDocker();
  // BuildKit in an older daemon doesn't read its certs.d, but uses what is here.
  for (const base of Object.values(from.buildArgs))
    if (base.startsWith(`${registry}/`)) await fetched(base);
  const args = [
    ...["build", "--tag", image, "--platform", platform, "--progress", "plain"],
    ...["--file", join(from.context, from.dockerfile)],
    ...pairs("--build-arg", from.buildArgs),
    ...pairs("--label", from.labels),
    from.context,
  ];
  const { code, output } = await docker(args, { command: builder });
  if (code === 0) return;
  throw new Error(`${from.context}/${from.dockerfile} can't be built\n${lastLines(output, 15)}`);
}

/**
 * Our Dockerfiles need BuildKit. The docker command had it built in before version 23, and has it as the plugin buildx since; a
 * command that was put in front of the distribution's own often comes without.
 *
 * @returns {Promise<string>} the first docker on PATH that can build with it
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
    "building images needs the docker command with its plugin buildx. Debian, Ubuntu: apt-get install docker-buildx; else https://docs.docker.com/go/buildx/",
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
      `${source}, which it is made from, can't be had\n${lastLines(pulled.output, 5)}`,
    );
}

/** @param {string} source */
async function copy(source) {
  await fetched(source);
  const tagged = await docker(["tag", source, image], { quiet: true });
  if (tagged.code !== 0)
    throw new Error(`${source} can't be tagged\n${lastLines(tagged.output, 5)}`);
}

/**
 * @param {string} output
 * @returns {Error}
 */
function refused(output) {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  // Docker says of each layer how far it is.
  const ofLayers = lines.filter((line) => /^[0-9a-f]{12}: /.test(line));
  const why = lines.filter((line) => !ofLayers.includes(line)).slice(-3);
  const because = (/** @type {string} */ what) => new Error([what, ...why].join("\n"));
  if (/unauthorized|denied|authentication required|no basic auth|incorrect username/i.test(output))
    return because(
      access.azureRegistry === undefined
        ? `the registry ${registry} refuses the login (store:registry: username, password)`
        : `this login to Azure may not push to the registry ${registry}: it needs the role AcrPush, Contributor or Owner there`,
    );
  if (/no space left/i.test(output)) return because("a disk is full, here or in the registry");
  if (
    !/connection refused|no such host|no route|timeout|deadline|EOF|reset|x509|TLS|unreachable|canceled/i.test(
      output,
    )
  )
    return because(`the registry ${registry} doesn't take it`);
  return ofLayers.length > 0
    ? because(
        `the connection to the registry ${registry} broke; what it has already it keeps, and the next up goes on from there`,
      )
    : because(`the registry ${registry} can't be reached (store:registry: address)`);
}

/**
 * @param {string[]} args
 * @param {{quiet?: boolean, seconds?: number, command?: string, input?: string}} [options]
 * @returns {Promise<Ran>}
 */
function docker(args, { quiet = false, seconds, command = "docker", input = "" } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: "pipe",
      env: {
        ...process.env,
        DOCKER_CONFIG: folder,
        DOCKER_BUILDKIT: "1",
        // One manifest for each image, so that its digest is what the host pulls.
        BUILDX_NO_DEFAULT_ATTESTATIONS: "1",
      },
    });
    // Not Node's own limit, which goes on for a command that isn't there, and holds up our end.
    const limit =
      seconds === undefined ? undefined : setTimeout(() => child.kill(), seconds * 1000);
    // A command that ends without reading it says why by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data) => {
        output += data;
        if (!quiet) process.stderr.write(data);
      });
    }
    child.once("error", (error) => {
      clearTimeout(limit);
      reject(
        "code" in error && error.code === "ENOENT"
          ? new Error("pushing images needs the docker command on PATH, and there is none")
          : error,
      );
    });
    child.once("close", (code, signal) => {
      clearTimeout(limit);
      resolve({
        code,
        output: signal === null ? output : `${output}\ntimeout: no answer within ${seconds} s`,
      });
    });
  });
}

function credentials(/** @type {Login} */ login) {
  const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
  return { auths: login.username === "" ? {} : { [registry]: { auth } } };
}

/** For three hours. */
async function azureLogin() {
  const { name, subscription } = registryOf(access.azureRegistry);
  const password = await az([
    ...["acr", "login", "--subscription", subscription, "--name", name, "--expose-token"],
    ...["--query", "accessToken", "--output", "tsv"],
  ]);
  return { username: TOKEN_USER, password };
}

/** buildx, where it is the user's own, is found by the folder of the configuration. */
function borrowPlugins() {
  const own = join(process.env.DOCKER_CONFIG ?? join(homedir(), ".docker"), "cli-plugins");
  if (existsSync(own)) symlinkSync(own, join(folder, "cli-plugins"));
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
