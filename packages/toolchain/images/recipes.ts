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
  readonly ref: string;
  readonly image: ImageName;
  readonly version: string;
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

/** Returns the recipe of an image's fallback; undefined if there is none. */
export function recipeFor(image: ImageName, ref: string): Recipe | undefined {
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

export function versionFailure(recipe: Recipe, held: readonly string[]): CliError {
  const key = CONFIG_KEYS[recipe.image];
  const newest = held.slice(-3);
  const [latest] = newest.slice(-1);
  return new CliError(
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
