import * as path from "node:path";
import { CliError } from "@store/docker/cliError";
import { filesBelow, keyOf } from "../system/cache";
import { DebianBase } from "./debian";

/** Keys of the stack's configuration that hold the references of base images. */
export const CONFIG_KEYS = {
  node: "store:nodeImage",
  postgres: "store:postgresImage",
  haproxy: "store:haproxyImage",
  lego: "store:legoImage",
} as const;

export type ImageName = keyof typeof CONFIG_KEYS;

/** An official image for which a fallback image can be built. */
export interface Recipe {
  /** Name of the fallback image: the configured reference without its digest, which only the official image has. */
  readonly ref: string;
  readonly image: ImageName;
  /** Version of the configured reference. */
  readonly version: string;
  /** Version that the packages hold, if it is another one. Defaults to {@link version}. */
  readonly held?: string;
}

/** Version of npm in the node image; the npm package with the node binary doesn't contain npm. */
export const NPM_VERSION = "11.21.2";

/** References of the supported official images; only exact versions. */
const REFERENCES: Record<ImageName, { pattern: RegExp; example: string }> = {
  node: { pattern: /^node:(\d+\.\d+\.\d+)-(?:trixie-)?slim$/, example: "node:VERSION-slim" },
  postgres: { pattern: /^postgres:(\d+\.\d+)(?:-trixie)?$/, example: "postgres:VERSION" },
  haproxy: { pattern: /^haproxy:(\d+\.\d+\.\d+)(?:-trixie)?$/, example: "haproxy:VERSION" },
  lego: { pattern: /^goacme\/lego:v(\d+\.\d+\.\d+)$/, example: "goacme/lego:vVERSION" },
};

/** Returns an image's reference without its digest: "node:26.10.0-slim" for "node:26.10.0-slim@sha256:…". */
export function withoutDigest(ref: string): string {
  return ref.replace(/@sha256:[0-9a-f]{64}$/, "");
}

/** Returns the recipe of an image's fallback; undefined if there is none. */
export function recipeFor(image: ImageName, configured: string): Recipe | undefined {
  const ref = withoutDigest(configured);
  const official = ref.replace(/^(docker\.io|index\.docker\.io)\//, "").replace(/^library\//, "");
  const version = REFERENCES[image].pattern.exec(official)?.[1];
  return version === undefined ? undefined : { ref, image, version };
}

/** Returns an example of a reference that has a recipe. */
export function exampleOf(image: ImageName): string {
  return REFERENCES[image].example;
}

/** Returns a hash over everything that determines the image's content. */
export function recipeKey(recipe: Recipe, base: Pick<DebianBase, "key">): string {
  return keyOf({
    ...filesBelow(folderOf(recipe.image)),
    version: recipe.version,
    base: base.key,
    npm: NPM_VERSION,
    architecture: process.arch,
  });
}

/** Parts of a version within which a fallback image may differ from the official one: data and configuration fit. */
const COMPATIBLE: Record<ImageName, number> = { node: 1, postgres: 1, haproxy: 2, lego: 1 };

/** The packages hold other versions than the recipe's. */
export class VersionFailure extends CliError {
  constructor(
    private readonly recipe: Recipe,
    /** Versions that the packages hold, newest last. */
    private readonly held: readonly string[],
    ...rest: ConstructorParameters<typeof CliError>
  ) {
    super(...rest);
  }

  /** Returns the recipe for the newest compatible version that the packages hold; undefined if there is none. */
  compatibleRecipe(): Recipe | undefined {
    const { image, version, held: already } = this.recipe;
    const branch = (text: string): string => text.split(".", COMPATIBLE[image]).join(".");
    const held = this.held.findLast((one) => branch(one) === branch(version));
    return held === undefined || held === already ? undefined : { ...this.recipe, held };
  }
}

export function versionFailure(recipe: Recipe, held: readonly string[]): VersionFailure {
  const key = CONFIG_KEYS[recipe.image];
  const newest = held.slice(-3);
  const [latest] = newest.slice(-1);
  return new VersionFailure(
    recipe,
    held,
    `No registry is reachable that has ${recipe.ref}, and the packages don't hold version ${recipe.version}` +
      (latest === undefined ? "." : `, but ${newest.join(", ")}.`),
    {
      hint:
        latest === undefined
          ? `Set ${key} to another version, or give the Docker daemon a way to a registry.`
          : `Set ${key} to ${exampleOf(recipe.image).replace("VERSION", latest)}, or give the Docker daemon a way to a registry.`,
    },
  );
}

export function folderOf(image: ImageName): string {
  return path.join(__dirname, image);
}
