import { usedImage } from "../../../../config/usedImage";
import { createHash } from "node:crypto";
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { RunError } from "@pulumi/pulumi";
import { CliError } from "@store/docker/cliError";
import { contextEntries } from "../../../../components/image/context/contextEntries";
import { digestOfFile } from "../../../../components/image/contentTag";
import { type ImageContentArgs, taggedContent } from "../../../../components/image/image";
import {
  baseContent,
  baseName,
  once,
  serviceContent,
} from "../../../../components/image/serviceContent";
import { loadSpecs, withDependencies } from "../../../../services";
import type { ServiceSpec } from "../../../../services/spec";
import { baseImageNames, configList, type Project, type Stack } from "../../project/project";
import { shorten } from "../model/shorten";
import type { Checkout, CheckoutService } from "../model/reviewModel";

/**
 * Reads the services of a stack from the checkout: their routes and the content of their images. Needs neither Docker nor the engine,
 * neither the stack's state nor its secrets.
 *
 * @throws CliError with all mistakes in the services' specs, or with a file that can't be read.
 */
export function readCheckout(project: Project, stack: Stack): Checkout {
  try {
    const specs = loadSpecs(join(project.root, "services"));
    const content = imageContents(project, stack);
    return {
      services: enabledServices(project, stack, specs).flatMap((name) => {
        const spec = specs.get(name);
        return spec === undefined ? [] : [{ name, ...content(name, spec) }];
      }),
    };
  } catch (error) {
    if (error instanceof RunError) throw new CliError(error.message, { cause: error });
    throw error;
  }
}

/** Returns a function that reads the content of a service's image. Base images are read once. */
function imageContents(
  project: Project,
  stack: Stack,
): (service: string, spec: ServiceSpec) => Omit<CheckoutService, "name"> {
  const args = {
    nodeImage: usedImage(baseImageNames(project, stack).node),
    devModeServices: configList(project, stack, "live"),
    source: {},
    opts: {},
  };
  const base = once((folder) => {
    const { tag, files } = readContent(project.root, baseContent(folder, args));
    return { ref: `store/${baseName(folder)}:${tag}`, files };
  });
  return (service, spec) => {
    const image = spec.image?.base === undefined ? undefined : base(spec.image.base);
    const content = serviceContent(service, spec, args);
    const { tag, files } = readContent(project.root, {
      ...content,
      args: { ...content.args, ...(image && { BASE_IMAGE: image.ref }) },
    });
    return { tag, routes: [...(spec.routes ?? [])], files: { ...image?.files, ...files } };
  };
}

function enabledServices(
  project: Project,
  stack: Stack,
  specs: ReadonlyMap<string, ServiceSpec>,
): string[] {
  const named = configList(project, stack, "services");
  if (configList(project, stack, "servicesOnly").includes("true")) return [...named].sort();
  return withDependencies(named.length > 0 ? named : [...specs.keys()], specs);
}

/** Returns the content tag, and a short hash of each file and build argument by path. */
function readContent(
  root: string,
  args: ImageContentArgs,
): { readonly tag: string; readonly files: Record<string, string> } {
  const folder = args.context;
  const { tag, content } = taggedContent({ ...args, context: join(root, folder) });
  const { context, dockerfile, except } = content;
  const files: Record<string, string> = {
    [shorten(`${folder}/${dockerfile}`)]: short(digestOfFile(join(context, dockerfile))),
  };
  for (const [name, value] of Object.entries(content.args)) {
    // The files of the base image are listed themselves.
    if (name !== "BASE_IMAGE") files[shorten(`${folder}: build argument ${name}`)] = hash(value);
  }
  for (const { path, kind } of contextEntries(context, dockerfile)) {
    if (except.some((mounted) => path === mounted || path.startsWith(`${mounted}/`))) continue;
    const file = join(context, path);
    const digest =
      kind === "folder"
        ? "folder"
        : kind === "link"
          ? hash(`link ${readlinkSync(file)}`)
          : short(digestOfFile(file));
    files[shorten(`${folder}/${path}`)] =
      kind === "executable" ? `${digest.slice(0, 14)}-x` : digest;
  }
  return { tag, files };
}

function hash(text: string): string {
  return short(createHash("sha256").update(text).digest("hex"));
}

function short(digest: string): string {
  return digest.slice(0, 16);
}
