import { Host } from "../host/host";
import { Publishing } from "../registry/registry";
import { BuiltImages } from "./builtImages";
import type { ImageSupply, ImageSupplyArgs } from "./imageSupply";
import { PublishedImages } from "./publish/publishedImages";

/** Returns a supply by way of the registry, or one that builds on the host if there is none. */
export function imageSupply(
  args: ImageSupplyArgs & { readonly host: Host; readonly publish?: Publishing },
): ImageSupply {
  const { host, publish, ...common } = args;
  return publish === undefined
    ? new BuiltImages(common)
    : new PublishedImages({ ...common, ...publish, host });
}
