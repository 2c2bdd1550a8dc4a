import * as pulumi from "@pulumi/pulumi";
import { ServiceSpec } from "../../../services/spec";
import type { Host } from "../../host/host";
import { Publishing } from "../../registry/registry";
import { imageContent } from "../image";
import type { ImageSupply, ImageSupplyArgs, SuppliedImage } from "../imageSupply";
import { baseContent, baseName, imageResource, once, serviceContent } from "../serviceContent";
import { PublishedImage, PublishedImageArgs } from "./publishedImage";

export interface PublishedImagesArgs extends ImageSupplyArgs, Publishing {
  /** Host that pulls the images. */
  readonly host: Host;
}

/**
 * Images that are built on this machine, pushed to the registry and pulled from it by the host. The registry also has copies of the
 * third-party images, so the host needs no other registry.
 */
export class PublishedImages implements ImageSupply {
  private readonly base: (folder: string) => PublishedBase;

  constructor(private readonly args: PublishedImagesArgs) {
    this.base = once((folder) => {
      const name = baseName(folder);
      const content = baseContent(folder, args);
      const { tag, ...build } = imageContent(imageResource(folder), content);
      const image = this.publish(imageResource(folder), name, tag, { from: build });
      return { image, plainRef: `store/${name}:${tag}` };
    });
  }

  of(service: string, spec: ServiceSpec): SuppliedImage {
    const base = spec.image?.base === undefined ? undefined : this.base(spec.image.base);
    const content = serviceContent(service, spec, this.args);
    const { tag, ...build } = imageContent(imageResource(service), {
      ...content,
      // Without the registry's address, so that the tag is the same for any registry.
      args: { ...content.args, ...(base && { BASE_IMAGE: base.plainRef }) },
    });
    const image = this.publish(imageResource(service), service, tag, {
      from: {
        ...build,
        buildArgs: {
          ...build.buildArgs,
          ...(base && "BASE_IMAGE" in build.buildArgs && { BASE_IMAGE: base.image.ref }),
        },
        bases: base ? [base.image.byDigest] : [],
      },
      host: this.args.host.provider,
      base: base?.image,
    });
    return { ref: image.ref, imageId: pulledId(image), byDigest: image.byDigest };
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
  /** Name without the registry, for content tags. */
  readonly plainRef: string;
}

/**
 * Returns the name and the tag of a third-party image's copy: "registry.io/team/tool:1.2" becomes "tool" and "1.2". Images with the same
 * version and other digests have copies of their own.
 */
function mirrored(ref: string): { imageName: string; tag: string } {
  const [, imageName, tag, digest] =
    /([^/:@]+):([^:/@]+)(?:@sha256:([0-9a-f]{12})[0-9a-f]{52})?$/.exec(ref) ?? [];
  if (imageName === undefined || tag === undefined) {
    throw new pulumi.RunError(`The image ${ref} has no tag, which its copy in the registry needs.`);
  }
  return { imageName, tag: digest === undefined ? tag : `${tag}-${digest}` };
}

function pulledId({ imageId }: PublishedImage): pulumi.Output<string> {
  if (imageId === undefined) throw new Error("the image has no host that pulls it");
  return imageId;
}
