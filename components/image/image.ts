import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { isAbsolute, join } from "node:path";
import type { BuildSecret } from "../../services/spec";
import { LABEL } from "../container/labelNames";
import { readRegularFile } from "./context/contextEntries";
import { contentTag, type TaggedFiles } from "./contentTag";
import { declaredArgs } from "./context/dockerfile";
import { StagedContext } from "./context/stagedContext";

export interface ImageArgs extends ImageContentArgs {
  /** Name without a tag, for example "store/inventory". */
  readonly imageName: string;
  /** Base image, which is built first. The Dockerfile gets its name as the build argument BASE_IMAGE. Defaults to none. */
  readonly base?: Image;
  /** Name of buildx' builder. Required, so that the user's current builder (`docker buildx use`) has no effect. */
  readonly buildxBuilder: string;
}

/** Content of an image. */
export interface ImageContentArgs {
  /** Folder of the build context, relative to the project, because an absolute path differs between machines. */
  readonly context: string;
  /** Dockerfile, relative to the context. Defaults to "Dockerfile". */
  readonly dockerfile?: string;
  /** Build arguments. Arguments that the Dockerfile doesn't declare are left out. Never secrets: the image shows them. Defaults to none. */
  readonly args?: Readonly<Record<string, string>>;
  /** Build secrets by ID. Files are relative to the context. They don't change the content tag. Defaults to none. */
  readonly secrets?: Readonly<Record<string, BuildSecret>>;
  /** Folders of the context over which sources are mounted. A change in them causes no new image. Defaults to none. */
  readonly mounted?: readonly string[];
  /** Repository and commit of the content, for the image's labels. */
  readonly source: pulumi.Input<ImageSource>;
}

/** Repository and commit of an image. @see https://github.com/opencontainers/image-spec/blob/main/annotations.md */
export interface ImageSource {
  /** Address of the repository, without credentials. Undefined without a remote. */
  readonly url?: string;
  /** Commit, with the suffix "-dirty" if the checkout differs from it. */
  readonly revision?: string;
}

/**
 * An image built from a folder of this repository, tagged by its content. Unchanged content is never rebuilt. If the daemon has the tag
 * already, for example from another checkout, its image is used.
 */
export class Image {
  /** `name:contentTag`, known before the build. */
  readonly ref: string;
  /** ID of the built image. Containers use the ID because, unlike a tag, it can't refer to another image later. */
  readonly imageId: pulumi.Output<string>;
  private readonly built: docker.RemoteImage;

  constructor(name: string, args: ImageArgs, opts: pulumi.CustomResourceOptions) {
    const { tag, labels, secrets, ...content } = imageContent(name, {
      ...args,
      args: { ...args.args, ...(args.base && { BASE_IMAGE: args.base.ref }) },
    });
    this.ref = `${args.imageName}:${tag}`;

    const build: docker.types.input.RemoteImageBuild = {
      ...content,
      secrets: [...secrets],
      builder: args.buildxBuilder,
      // Contains the output of a failed step, which the provider's error doesn't.
      buildLogFile: `build-logs/${name}.log`,
      // Not `labels`, which the provider ignores when it builds with BuildKit.
      label: labels,
      // With Docker's containerd image store, its time of the build would be part of the image's ID.
      provenance: "false",
    };
    // The tag is part of the resource's name, so other content is another resource. `build` can therefore be ignored: with the same
    // tag, only the revision in the labels can differ.
    this.built = new docker.RemoteImage(
      `${name}:${tag}`,
      {
        name: this.ref,
        // A second build would move the tag to an image with another ID, and the stack with the first one would lose its image's name.
        build: pulumi
          .output(isOnDaemon(this.ref, opts))
          .apply((exists) => (exists ? undefined : build)),
        // A container of this stack or another one may still use it. `store down` removes unused images.
        keepLocally: true,
      },
      { ...opts, ignoreChanges: ["build"], dependsOn: args.base?.built },
    );
    this.imageId = this.built.imageId;
  }
}

/** Returns false in a preview, where a daemon may not exist yet, and if the daemon doesn't answer, which the build then reports. */
async function isOnDaemon(
  name: string,
  { parent, provider }: pulumi.CustomResourceOptions,
): Promise<boolean> {
  if (pulumi.runtime.isDryRun()) return false;
  try {
    await docker.getRemoteImage({ name }, { parent, provider });
    return true;
  } catch {
    return false;
  }
}

/** Inputs of a build and their content tag. */
export interface ImageContent {
  readonly tag: string;
  /** Folder of the copied build context, relative to the project. */
  readonly context: string;
  /** Copied Dockerfile, relative to the context. */
  readonly dockerfile: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Names of build secrets, never their values: a variable of the environment (`env`) or a file (`src`). */
  readonly secrets: readonly docker.types.input.RemoteImageBuildSecret[];
  readonly labels: pulumi.Output<Record<string, string>>;
}

/**
 * Computes the content tag and, except in a preview, copies the build context.
 *
 * @param name Name of the image in the program.
 */
export function imageContent(name: string, args: ImageContentArgs): ImageContent {
  const { context, secrets = {}, source } = args;
  const { content, hash, tag } = taggedContent(args);
  const staged = new StagedContext(
    join(".store", "contexts", pulumi.getStack(), name),
    content,
    hash,
  );
  if (!pulumi.runtime.isDryRun()) staged.write();
  return {
    tag,
    context: staged.context,
    dockerfile: staged.dockerfile,
    buildArgs: content.args,
    secrets: Object.entries(secrets).map(([id, secret]) => buildSecret(id, secret, context)),
    labels: labelsOf(source, tag),
  };
}

/** Content of an image with its tag. */
export interface TaggedContent {
  readonly content: Required<TaggedFiles>;
  /** Hash of the content. */
  readonly hash: string;
  /** Tag of the image. An image whose sources are mounted has a tag of its own, because it lacks them. */
  readonly tag: string;
}

/** Computes the content tag of an image. Reads files and writes none. */
export function taggedContent({
  context,
  dockerfile = "Dockerfile",
  args = {},
  mounted = [],
}: Omit<ImageContentArgs, "source">): TaggedContent {
  const text = readRegularFile(join(context, dockerfile)).toString("utf8");
  const content = { context, dockerfile, args: declaredArgs(text, args), except: mounted };
  const hash = contentTag(content);
  return { content, hash, tag: mounted.length > 0 ? `live-${hash}` : hash };
}

function buildSecret(
  id: string,
  secret: BuildSecret,
  context: string,
): docker.types.input.RemoteImageBuildSecret {
  if ("environment" in secret) return { id, env: secret.environment };
  return { id, src: isAbsolute(secret.file) ? secret.file : join(context, secret.file) };
}

function labelsOf(
  source: pulumi.Input<ImageSource>,
  version: string,
): pulumi.Output<Record<string, string>> {
  return pulumi.output(source).apply(({ url, revision }): Record<string, string> => ({
    "org.opencontainers.image.version": version,
    ...(url && { "org.opencontainers.image.source": url }),
    ...(revision && { "org.opencontainers.image.revision": revision }),
    [LABEL.project]: pulumi.getProject(),
  }));
}
