import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { contentTag } from "./contentTag";
import { LABEL_PROJECT } from "../container/labels";

export interface ImageArgs extends ImageContentArgs {
  /** Name without a tag, for example "store/inventory". */
  readonly imageName: string;
  /** Image to build first; its name is given to the Dockerfile as BASE_IMAGE. @default none */
  readonly base?: Image;
}

/** What an image is made of. */
export interface ImageContentArgs {
  /** Folder of the build context, relative to the project: an absolute one would differ on every machine. */
  readonly context: string;
  /** Dockerfile, relative to the context. @default "Dockerfile" */
  readonly dockerfile?: string;
  /** Build arguments; those that the Dockerfile doesn't declare are left out. They stay visible: never secrets. @default {} */
  readonly args?: Readonly<Record<string, string>>;
  /** Folders of the context over which the sources are mounted, so that a change in them makes no new image. @default [] */
  readonly mounted?: readonly string[];
  /** Where the content comes from, for the image's labels. */
  readonly source: pulumi.Input<ImageSource>;
}

/** @see https://github.com/opencontainers/image-spec/blob/main/annotations.md */
export interface ImageSource {
  /** Address of the repository, without credentials; none where it has no remote. */
  readonly url?: string;
  /** The commit from which the image is built, with "-dirty" where the checkout differs from it. */
  readonly revision?: string;
}

/**
 * An image built from a folder of this repository and named by its content. Content that is unchanged is not built again,
 * whatever else has changed.
 */
export class Image {
  /** `name:contentTag`. Known before anything is built. */
  readonly ref: string;
  /** ID of the built image. What a container should be given: unlike a tag it can't move. */
  readonly imageId: pulumi.Output<string>;
  private readonly built: docker.RemoteImage;

  constructor(name: string, args: ImageArgs, opts: pulumi.CustomResourceOptions) {
    const { tag, ...content } = imageContent({
      ...args,
      args: { ...args.args, ...(args.base && { BASE_IMAGE: args.base.ref }) },
    });
    this.ref = `${args.imageName}:${tag}`;

    // The tag is part of the resource's name: another content is another image, not a changed one. This lets us leave
    // `build` out of the comparison, in which only the revision of the labels could differ for the same content.
    this.built = new docker.RemoteImage(
      `${name}:${tag}`,
      {
        name: this.ref,
        build: {
          context: args.context,
          dockerfile: content.dockerfile,
          buildArgs: content.buildArgs,
          // The provider's error doesn't say what the failing step printed; this file does.
          buildLogFile: `build-logs/${name}.log`,
          // Not `labels`, which the provider leaves out when it builds by BuildKit.
          label: content.labels,
        },
        // An older container may still run from it, in this stack or another. `store down` removes what nobody uses.
        keepLocally: true,
      },
      { ...opts, ignoreChanges: ["build"], dependsOn: args.base?.built },
    );
    this.imageId = this.built.imageId;
  }
}

/** What a build is given, and the tag that stands for all of it. */
export interface ImageContent {
  readonly tag: string;
  readonly dockerfile: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: pulumi.Output<Record<string, string>>;
}

export function imageContent({
  context,
  dockerfile = "Dockerfile",
  args = {},
  mounted = [],
  source,
}: ImageContentArgs): ImageContent {
  const buildArgs = declared(join(context, dockerfile), args);
  const hash = contentTag({ context, dockerfile, args: buildArgs, except: mounted });
  // Its own tag, so that an image that lacks some of its sources is never taken for one that has them all.
  const tag = mounted.length > 0 ? `live-${hash}` : hash;
  return { tag, dockerfile, buildArgs, labels: labelsOf(source, tag) };
}

/** The build arguments for which the Dockerfile has an ARG, so that no other can change its content tag. */
function declared(
  dockerfile: string,
  args: Readonly<Record<string, string>>,
): Record<string, string> {
  const names = [...readFileSync(dockerfile, "utf8").matchAll(/^\s*ARG\s+(\w+)/gim)].map(
    ([, name]) => name,
  );
  return Object.fromEntries(Object.entries(args).filter(([name]) => names.includes(name)));
}

function labelsOf(
  source: pulumi.Input<ImageSource>,
  version: string,
): pulumi.Output<Record<string, string>> {
  return pulumi.output(source).apply(({ url, revision }): Record<string, string> => ({
    "org.opencontainers.image.version": version,
    ...(url && { "org.opencontainers.image.source": url }),
    ...(revision && { "org.opencontainers.image.revision": revision }),
    [LABEL_PROJECT]: pulumi.getProject(),
  }));
}
