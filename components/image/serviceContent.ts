import { join } from "node:path";
import { ServiceSpec } from "../../services/spec";
import type { ImageContentArgs } from "./image";
import type { ImageSupplyArgs } from "./imageSupply";

/** Returns the folder of a service, relative to the project folder, in which the program runs. */
export function folderOf(service: string): string {
  return join("services", service);
}

/** Returns the content of a service's image. Sources that are mounted in dev mode don't count. */
export function serviceContent(
  service: string,
  { image, live }: ServiceSpec,
  args: ImageSupplyArgs,
): ImageContentArgs {
  return {
    context: folderOf(service),
    dockerfile: image?.dockerfile,
    args: { NODE_IMAGE: args.nodeImage, ...image?.args },
    secrets: image?.secrets,
    mounted: args.devModeServices.includes(service) ? Object.keys(live?.mounts ?? {}) : [],
    source: args.source,
  };
}

/** Returns the content of a base image, which several services share. */
export function baseContent(folder: string, args: ImageSupplyArgs): ImageContentArgs {
  return { context: folder, args: { NODE_IMAGE: args.nodeImage }, source: args.source };
}

/** Returns the name of the resource for the image of a folder. */
export function imageResource(folder: string): string {
  return `${folder.replaceAll("/", "-")}-image`;
}

/** Returns the name of the base image of a folder. */
export function baseName(folder: string): string {
  return folder.split("/").at(-1) ?? folder;
}

/** Returns a function that calls `create` once for each key. */
export function once<T>(create: (key: string) => T): (key: string) => T {
  const created = new Map<string, T>();
  return (key) => {
    const existing = created.get(key);
    if (existing !== undefined) return existing;
    const value = create(key);
    created.set(key, value);
    return value;
  };
}
