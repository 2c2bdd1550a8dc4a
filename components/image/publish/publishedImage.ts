import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { endpointVariables } from "@store/docker/environment";
import { Publishing, RegistryAccess } from "../../registry/registry";

export interface PublishedImageArgs {
  /** Name without registry and namespace, for example "inventory". */
  readonly imageName: string;
  /** Content tag. */
  readonly tag: string;
  /** Source of the image if the registry doesn't have it yet. */
  readonly from: Build | Mirror;
  readonly registry: RegistryAccess;
  readonly builder: Publishing["builder"];
  /** Platform of the image, for example "linux/amd64". */
  readonly platform: string;
  /** Provider for commands on this machine. */
  readonly commands: command.Provider;
  /** Provider of the host that pulls the image. Defaults to none. */
  readonly host?: docker.Provider;
  /** Published base image, which is published first. Defaults to none. */
  readonly base?: PublishedImage;
}

export interface Build {
  readonly context: string;
  readonly dockerfile: string;
  readonly buildArgs: Readonly<Record<string, pulumi.Input<string>>>;
  /** Published base images, with their digests. Defaults to none. */
  readonly bases?: readonly pulumi.Input<string>[];
  /** Names of build secrets: a variable of the environment, or a file. Defaults to none. */
  readonly secrets?: readonly docker.types.input.RemoteImageBuildSecret[];
  readonly labels: pulumi.Input<Record<string, string>>;
}

/** A third-party image, copied unchanged. */
export interface Mirror {
  readonly image: string;
}

/**
 * An image in the registry, which a host may pull by digest.
 *
 * Not a `docker.RemoteImage` with `build`, whose state is an image of the building machine's daemon: on any other machine a refresh
 * misses the image and rebuilds it. The state here is the image in the registry.
 */
export class PublishedImage {
  /** `registry/namespace/name:tag`. */
  readonly ref: pulumi.Output<string>;
  /** {@link ref} with `@sha256:…`, which always refers to the same image. */
  readonly byDigest: pulumi.Output<string>;
  /** ID of the image on the host; undefined if no host pulls it. */
  readonly imageId: pulumi.Output<string> | undefined;
  private readonly published: command.local.Command;

  /** @param opts Options for the image on the host. The image in the registry doesn't depend on the host. */
  constructor(name: string, args: PublishedImageArgs, opts: pulumi.CustomResourceOptions) {
    const { registry } = args;
    const path = [registry.namespace, args.imageName].filter((part) => part !== "").join("/");
    this.ref = pulumi.interpolate`${registry.address}/${path}:${args.tag}`;

    this.published = new command.local.Command(
      `${name}:${args.tag}`,
      {
        create: "node components/image/publish/publish.mjs",
        environment: pulumi.output(args.from).apply((from) => ({
          IMAGE: this.ref,
          ...endpointVariables(args.builder),
          PLATFORM: args.platform,
          FROM: JSON.stringify(from),
        })),
        // Not in the environment, which other processes of the same user can read.
        stdin: pulumi.jsonStringify({
          address: registry.address,
          ...(registry.push === "user" ? {} : registry.push),
        }),
        // Another or a recreated registry doesn't have the image. A replacement uses the current values of the inputs ignored below.
        triggers: [
          registry.address,
          ...(registry.generation === undefined ? [] : [registry.generation]),
        ],
        // Progress only, not the digest on stdout.
        logging: "stderr",
      },
      {
        // Not a child of the host, so that images are published while the host is created.
        parent: args.commands,
        provider: args.commands,
        dependsOn: args.base?.published,
        // The tag in the name identifies the content. A changed revision in the labels or a new password needs no new publication.
        ignoreChanges: ["create", "environment", "stdin"],
      },
    );
    this.byDigest = pulumi.interpolate`${this.ref}@${pulumi.unsecret(this.published.stdout)}`;

    this.imageId =
      args.host &&
      new docker.RemoteImage(
        `${name}:${args.tag}`,
        // A container may still use the previous image. The host itself removes images that have been unused for a week.
        { name: this.byDigest, keepLocally: true },
        { ...opts, provider: args.host },
      ).imageId;
  }
}
