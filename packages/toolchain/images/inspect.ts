import { CliError } from "@store/docker/cliError";
import { type Docker, reasonOf } from "@store/docker/docker";
import { messageOf } from "@store/docker/messageOf";
import { debianBase } from "./debian";
import {
  type BaseImageRefs,
  type BaseImageStatus,
  IMAGES,
  type LocalImage,
  type RegistryStatus,
} from "./plan";
import { CONFIG_KEYS, ImageName, recipeFor, recipeKey, withoutDigest } from "./recipes";
import { registryAnswer, registryHost } from "./registryStatus";
import { UnreachableRegistries } from "./unreachableRegistries";

export const LABEL = "dev.store.toolchain";

export const KEY_LABEL = "dev.store.toolchain.key";

/** Version of a fallback image that lags behind the official one. */
export const VERSION_LABEL = "dev.store.toolchain.version";

const REGISTRY_LIMIT_MS = 3000;

type Inspected = BaseImageStatus & { readonly image: ImageName };

export async function inspect(refs: BaseImageRefs, docker: Docker): Promise<Inspected[]> {
  const images = await Promise.all(
    IMAGES.flatMap((image) => {
      const ref = refs[image];
      return ref === undefined
        ? []
        : [lookUp(ref, docker).then((found) => ({ image, ref, ...found }))];
    }),
  );
  // The base's key is a hash over this machine's CA bundle; skip it if all images are official.
  const base = images.some(({ labels }) => isBuiltByToolchain(labels)) ? debianBase() : undefined;
  const unreachable = new UnreachableRegistries(docker.host);
  const statuses = await Promise.all(
    images.map(async ({ image, ref, labels, exact }) => {
      const recipe = recipeFor(image, ref);
      const local = localState(labels, recipe && base && recipeKey(recipe, base), exact);
      return {
        image,
        ref,
        configKey: CONFIG_KEYS[image],
        local,
        laggingVersion: labels?.[VERSION_LABEL],
        registry: local === "official" ? undefined : await askRegistry(ref, docker, unreachable),
        canBeBuilt: recipe !== undefined && process.platform === "linux",
      };
    }),
  );
  unreachable.save();
  return statuses;
}

export interface FoundImage {
  /** Undefined if the daemon has no image, neither with the digest nor under the tag. */
  readonly labels: Record<string, string> | undefined;
  /** False for an image under the tag of a reference whose digest the daemon doesn't have. */
  readonly exact: boolean;
}

/**
 * Finds the image of a reference by its digest, or else by its tag: fallback images have no digest, `docker load` restores none, and
 * publishers build a version again under another one.
 */
export async function lookUp(ref: string, docker: Docker): Promise<FoundImage> {
  const labels = await labelsOf(ref, docker);
  const tag = withoutDigest(ref);
  if (labels !== undefined || tag === ref) return { labels, exact: true };
  return { labels: await labelsOf(tag, docker), exact: false };
}

/** Returns the labels of an image; undefined if the daemon doesn't have it. */
export async function labelsOf(
  ref: string,
  docker: Docker,
): Promise<Record<string, string> | undefined> {
  const answer = await docker.request("GET", `/images/${ref}/json`);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) {
    throw new CliError(`The Docker daemon can't look up the image "${ref}": ${reasonOf(answer)}`, {
      hint: "See that the image's name in the stack's configuration is written as for `docker pull`.",
    });
  }
  const { Config } = answer.body as { Config: { Labels?: Record<string, string> | null } | null };
  return Config?.Labels ?? {};
}

export function localState(
  labels: Record<string, string> | undefined,
  currentKey: string | undefined,
  exact = true,
): LocalImage {
  if (labels === undefined) return "absent";
  if (!isBuiltByToolchain(labels)) return exact ? "official" : "tagged";
  return labels[KEY_LABEL] === currentKey ? "fallback" : "outdated";
}

export function isBuiltByToolchain(labels: Record<string, string> | undefined): boolean {
  // Earlier releases used another value.
  return /^(fallback|stand-in)$/.test(labels?.[LABEL] ?? "");
}

export async function askRegistry(
  ref: string,
  docker: Docker,
  unreachable: UnreachableRegistries,
): Promise<RegistryStatus> {
  const host = registryHost(ref);
  const remembered = unreachable.recall(host);
  if (remembered !== undefined) return { answer: "unreachable", reason: remembered };
  const start = Date.now();
  const registry = await docker
    .request("GET", `/distribution/${ref}/json`, REGISTRY_LIMIT_MS)
    .then((answer) => registryAnswer(ref, answer))
    .catch((error: unknown): RegistryStatus => ({
      answer: "unreachable",
      reason: `${host}: ${messageOf(error instanceof CliError ? error.cause : error)}`,
    }));
  if (registry.answer === "unreachable" && Date.now() - start > SLOW_MS) {
    unreachable.remember(host, registry.reason);
  }
  return registry;
}

const SLOW_MS = 300;
