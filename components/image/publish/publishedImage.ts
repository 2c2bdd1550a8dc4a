import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { RegistryAccess } from "../../registry/registry";

export interface PublishedImageArgs {
  /** Name without registry and namespace, for example "inventory". */
  readonly imageName: string;
  /** The tag under which it is published. What it stands for never changes. */
  readonly tag: string;
  /** How it is made where the registry doesn't have it. */
  readonly from: Build | Mirror;
  readonly registry: RegistryAccess;
  /** Address of the Docker daemon that builds and pushes. */
  readonly builder: string;
  /** What it must run on, for example "linux/amd64". */
  readonly platform: string;
  /** For commands on this machine. */
  readonly commands: command.Provider;
  /** For the host that pulls it. @default none does */
  readonly host?: docker.Provider;
  /** What it is built on, if that is published, too. */
  readonly base?: PublishedImage;
}

export interface Build {
  readonly context: string;
  readonly dockerfile: string;
  readonly buildArgs: Readonly<Record<string, pulumi.Input<string>>>;
  readonly labels: pulumi.Input<Record<string, string>>;
}

/** An image of somebody else's, copied as it is. */
export interface Mirror {
  readonly image: string;
}

/**
 * An image in the registry, and on the host that pulls it from there by digest.
 *
 * Not a `docker.RemoteImage` with `build`: that one is recorded as an image of the building machine's daemon, so that on any other
 * machine a refresh finds it gone and builds it again. What is recorded here is that the registry has it.
 */
export class PublishedImage {
  /** `registry/namespace/name:tag`. */
  readonly ref: pulumi.Output<string>;
  /** The same with `@sha256:…`, which can't move. */
  readonly byDigest: pulumi.Output<string>;
  /** ID of the image on the host; undefined where no host pulls it. */
  readonly imageId: pulumi.Output<string> | undefined;
  private readonly published: command.local.Command;

  /** @param opts For what is on the host; that it is published is nothing of the host's. */
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
          DOCKER_HOST: args.builder,
          PLATFORM: args.platform,
          FROM: JSON.stringify(from),
        })),
        // Not by the environment, which other processes of the same user can read.
        stdin: pulumi.jsonStringify({ address: registry.address, ...registry.push }),
        // Another registry doesn't have it, nor does one that was made anew. What is ignored below is as new as the rest then.
        triggers: [registry.address, ...(registry.made === undefined ? [] : [registry.made])],
        // Its progress; the digest on stdout is nobody's news.
        logging: "stderr",
      },
      {
        // Nothing of the host's: images are published while it is still being made.
        parent: args.commands,
        provider: args.commands,
        dependsOn: args.base?.published,
        // The tag in the name says whether the content is another. The revision in the labels, or a new password, is no reason to look again.
        ignoreChanges: ["create", "environment", "stdin"],
      },
    );
    this.byDigest = pulumi.interpolate`${this.ref}@${pulumi.unsecret(this.published.stdout)}`;

    this.imageId =
      args.host &&
      new docker.RemoteImage(
        `${name}:${args.tag}`,
        // An older container may still run from the one before; the host itself removes what nobody has used for a week.
        { name: this.byDigest, keepLocally: true },
        { ...opts, provider: args.host },
      ).imageId;
  }
}
