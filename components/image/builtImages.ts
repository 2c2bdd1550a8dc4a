import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { ServiceSpec } from "../../services/spec";
import { Image } from "./image";
import type { ImageSupply, ImageSupplyArgs } from "./imageSupply";
import { baseContent, baseName, imageResource, once, serviceContent } from "./serviceContent";

/** Images that the host builds, and third-party images that it pulls from their own registries. */
export class BuiltImages implements ImageSupply {
  private readonly base: (folder: string) => Image;

  private readonly buildxBuilder: string;

  constructor(private readonly args: ImageSupplyArgs) {
    this.buildxBuilder = args.buildxBuilder ?? "default";
    this.base = once(
      (folder) =>
        new Image(
          imageResource(folder),
          {
            imageName: `store/${baseName(folder)}`,
            ...baseContent(folder, args),
            buildxBuilder: this.buildxBuilder,
          },
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
        buildxBuilder: this.buildxBuilder,
        base: base === undefined ? undefined : this.base(base),
      },
      this.args.opts,
    );
  }

  thirdParty(name: string, ref: string): pulumi.Output<string> {
    return new docker.RemoteImage(name, { name: ref, keepLocally: true }, this.args.opts).imageId;
  }
}
