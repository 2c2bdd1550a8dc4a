import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { join } from "node:path";
import { ServiceSpec } from "../../services/spec";
import { Host } from "../host/host";
import { Image, ImageContentArgs, imageContent, ImageSource } from "./image";
import { PublishedImage, PublishedImageArgs } from "./publish/publishedImage";
import { Publishing } from "../registry/registry";

/** An image that a host can run. */
export interface SuppliedImage {
  /** By which people know it: its content is in its name. */
  readonly ref: pulumi.Input<string>;
  /** What a container is given. */
  readonly imageId: pulumi.Output<string>;
}

/** Where the images of a stack come from. */
export interface ImageSupply {
  /** The image of a service. */
  of(service: string, spec: ServiceSpec): SuppliedImage;
  /** ID of an image of somebody else's, by its exact version. */
  thirdParty(name: string, ref: string): pulumi.Output<string>;
}

export interface ImageSupplyArgs {
  readonly nodeImage: string;
  /** Names of the services whose sources are mounted. */
  readonly live: readonly string[];
  readonly source: pulumi.Input<ImageSource>;
  readonly opts: pulumi.CustomResourceOptions;
}

/** Images that the host builds itself, and pulls from wherever their names say. */
export class BuiltImages implements ImageSupply {
  private readonly base: (folder: string) => Image;

  constructor(private readonly args: ImageSupplyArgs) {
    this.base = once(
      (folder) =>
        new Image(
          imageResource(folder),
          { imageName: `store/${baseName(folder)}`, ...baseContent(folder, args) },
          args.opts,
        ),
    );
  }

  of(service: string, spec: ServiceSpec): Image {
    const base = spec.image?.base;
    return new Image(
      imageResource(service),
      {
        imageName: `store/${service}`,
        ...serviceContent(service, spec, this.args),
        base: base === undefined ? undefined : this.base(base),
      },
      this.args.opts,
    );
  }

  thirdParty(name: string, ref: string): pulumi.Output<string> {
    return new docker.RemoteImage(name, { name: ref, keepLocally: true }, this.args.opts).imageId;
  }
}

export interface PublishedImagesArgs extends ImageSupplyArgs, Publishing {
  readonly host: Host;
}

/** Images that are built here, pushed to a registry and pulled from it by the host, others' included: it needs no other registry. */
export class PublishedImages implements ImageSupply {
  private readonly base: (folder: string) => PublishedBase;

  constructor(private readonly args: PublishedImagesArgs) {
    this.base = once((folder) => {
      const name = baseName(folder);
      const content = baseContent(folder, args);
      const { tag, ...build } = imageContent(content);
      const image = this.publish(imageResource(folder), name, tag, {
        from: { context: content.context, ...build },
      });
      return { image, plainRef: `store/${name}:${tag}` };
    });
  }

  of(service: string, spec: ServiceSpec): SuppliedImage {
    const base = spec.image?.base === undefined ? undefined : this.base(spec.image.base);
    const content = serviceContent(service, spec, this.args);
    const { tag, ...build } = imageContent({
      ...content,
      // Without the registry's address, so that the tag is the same whichever registry it is.
      args: { ...content.args, ...(base && { BASE_IMAGE: base.plainRef }) },
    });
    const image = this.publish(imageResource(service), service, tag, {
      from: {
        context: content.context,
        ...build,
        buildArgs: {
          ...build.buildArgs,
          ...(base && "BASE_IMAGE" in build.buildArgs && { BASE_IMAGE: base.image.ref }),
        },
      },
      host: this.args.host.provider,
      base: base?.image,
    });
    return { ref: image.ref, imageId: pulledId(image) };
  }

  thirdParty(name: string, ref: string): pulumi.Output<string> {
    const { imageName, tag } = mirrored(ref);
    return pulledId(
      this.publish(`${name}-image`, imageName, tag, {
        from: { image: ref },
        host: this.args.host.provider,
      }),
    );
  }

  private publish(
    name: string,
    imageName: string,
    tag: string,
    how: Pick<PublishedImageArgs, "from" | "host" | "base">,
  ): PublishedImage {
    const { registry, builder, host, opts } = this.args;
    return new PublishedImage(
      name,
      {
        imageName,
        tag,
        registry,
        builder,
        platform: host.platform ?? "linux/amd64",
        commands: host.commands,
        ...how,
      },
      opts,
    );
  }
}

interface PublishedBase {
  readonly image: PublishedImage;
  /** By which it is known where it is only about its content. */
  readonly plainRef: string;
}

/** Folder of a service, relative to the project, which is the folder that the program runs in. */
export function folderOf(service: string): string {
  return join("services", service);
}

function serviceContent(
  service: string,
  { image, live }: ServiceSpec,
  args: ImageSupplyArgs,
): ImageContentArgs {
  return {
    context: folderOf(service),
    dockerfile: image?.dockerfile,
    args: { NODE_IMAGE: args.nodeImage, ...image?.args },
    mounted: args.live.includes(service) ? Object.keys(live?.mounts ?? {}) : [],
    source: args.source,
  };
}

function baseContent(folder: string, args: ImageSupplyArgs): ImageContentArgs {
  return { context: folder, args: { NODE_IMAGE: args.nodeImage }, source: args.source };
}

function imageResource(folder: string): string {
  return `${folder.replaceAll("/", "-")}-image`;
}

function baseName(folder: string): string {
  return folder.split("/").at(-1) ?? folder;
}

/** Under which name and tag somebody else's image is kept in our registry: "registry.io/team/tool:1.2" as "tool" and "1.2". */
function mirrored(ref: string): { imageName: string; tag: string } {
  const [, imageName, tag] = /([^/:@]+):([^:/@]+)(?:@sha256:[0-9a-f]{64})?$/.exec(ref) ?? [];
  if (imageName === undefined || tag === undefined) {
    throw new pulumi.RunError(`${ref} has no tag under which it could be kept in the registry.`);
  }
  return { imageName, tag };
}

function pulledId({ imageId }: PublishedImage): pulumi.Output<string> {
  if (imageId === undefined) throw new Error("an image that no host pulls was to be run");
  return imageId;
}

function once<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}
