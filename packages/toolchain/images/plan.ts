import { CliError } from "@store/docker/cliError";
import { CONFIG_KEYS, exampleOf, ImageName } from "./recipes";

/** References of the base images in the stack's configuration. */
export type BaseImageRefs = Readonly<
  Record<Exclude<ImageName, "lego">, string> & {
    /** Undefined in a stack that orders no certificate. */
    lego?: string;
  }
>;

/** Availability of a base image. */
export interface BaseImageStatus {
  readonly ref: string;
  /** Key of the stack's configuration that holds the reference. */
  readonly configKey: string;
  readonly local: LocalImage;
  /** Version of a fallback image that isn't the reference's. Undefined for any other image. */
  readonly laggingVersion?: string;
  /** Undefined if the daemon has the official image: then the registry isn't requested. */
  readonly registry?: RegistryStatus;
  /** A fallback image can be built from packages. */
  readonly canBeBuilt: boolean;
}

/**
 * Image that the daemon has under a reference. "outdated": a fallback image of an older recipe. "tagged": somebody else's image under the
 * tag, while the daemon doesn't have the digest.
 */
export type LocalImage = "official" | "tagged" | "fallback" | "outdated" | "absent";

/** Response of the reference's registry to the daemon. */
export type RegistryStatus =
  | { readonly answer: "serves" }
  | { readonly answer: "refuses" | "unreachable"; readonly reason: string };

export type BaseImageAction = "use" | "pull" | "remove fallback" | "use fallback" | "build";

/** Returns the action that makes an image available. @throws CliError if there is none. */
export function chooseAction(status: BaseImageStatus): BaseImageAction {
  const { ref, configKey, local, registry, canBeBuilt } = status;
  if (local === "official" || registry === undefined) return "use";
  switch (registry.answer) {
    case "serves":
      return local === "absent" || local === "tagged" ? "pull" : "remove fallback";
    case "refuses":
      throw new CliError(
        `The image ${ref} doesn't exist. Its registry answers "${registry.reason}".`,
        {
          hint: `Set ${configKey} to an image that exists, by its exact version.`,
        },
      );
    case "unreachable":
      if (local === "tagged") return "use";
      if (local === "fallback") return "use fallback";
      if (canBeBuilt) return "build";
      throw new CliError(
        `The image ${ref} isn't on this machine, and its registry can't be reached: ${registry.reason}.`,
        {
          hint:
            `Give the Docker daemon access to the registry, load the image (\`docker load\`), or set ${configKey} to ` +
            `${exampleOf(imageOf(configKey))} with an exact version, for which a fallback image can be built from packages.`,
        },
      );
  }
}

export const IMAGES = Object.keys(CONFIG_KEYS) as ImageName[];

function imageOf(configKey: string): ImageName {
  const image = IMAGES.find((name) => CONFIG_KEYS[name] === configKey);
  if (image === undefined) throw new Error(`no base image is configured by ${configKey}`);
  return image;
}
