import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { Host } from "../host/host";
import { labels } from "./labels";

export interface FilesArgs {
  /** Name of the service that the files are for. @default none: several share them */
  readonly service?: string;
  readonly host: Host;
  /** An image with a shell that is on the host anyway. */
  readonly imageId: pulumi.Input<string>;
  /** Content by file name. Secrets may be among them: content is never in an environment variable or in `docker inspect`. */
  readonly files: Readonly<Record<string, pulumi.Input<string>>>;
  /** What must be there before they are written. @default nothing */
  readonly after?: readonly pulumi.Resource[];
  /** Looked at before they are written, and so before any container that needs them is touched. @default nothing */
  readonly guard?: Guard;
}

export interface Guard {
  /** For sh in the image; it fails the `up` where it ends with anything but 0. Its last line is why. */
  readonly script: string;
  /** The volume that it looks into, which it finds at {@link GUARDED}, read-only. */
  readonly volumeName: pulumi.Input<string>;
}

/** Where a guard finds its volume. */
export const GUARDED = "/guarded";

/**
 * Files that the program writes for containers to read, in a volume of their own.
 *
 * Docker refuses to copy a file into a container whose root file system is read-only, also where a volume is mounted. So a
 * container that lives for a moment has the volume mounted and writes them. What it is to write comes by its standard input:
 * never as an argument or a variable, which others could see.
 *
 * Not a component, nor is an {@link Image}: there are many, each costs a run without changes 10 ms, and they'd group two resources.
 */
export class Files {
  private readonly volume: docker.Volume;
  /** What a container that reads the files depends on: once it is there, they are. */
  readonly written: pulumi.Resource;
  /** Changes whenever the content of the files does. */
  readonly version: pulumi.Output<string>;

  constructor(name: string, args: FilesArgs, opts: pulumi.CustomResourceOptions) {
    const marks = labels({ service: args.service, role: "files" });
    this.volume = new docker.Volume(name, { labels: marks }, opts);
    const options = marks.map(({ label, value }) => `--label ${label}=${value}`).join(" ");
    // Without the capability, root can't look into a folder that is another user's alone.
    const guarded = args.guard
      ? pulumi.interpolate`--cap-add DAC_READ_SEARCH --volume ${args.guard.volumeName}:${GUARDED}:ro `
      : "";
    const writer = args.host.run(
      name,
      pulumi.interpolate`docker run --rm --interactive --user 0 --network none --read-only --cap-drop ALL --security-opt no-new-privileges --log-driver none ${options} ${guarded}--volume ${this.volume.name}:${FOLDER} --entrypoint sh ${args.imageId} -s`,
      // Another id, and so another version, for other content.
      pulumi.mergeOptions(opts, {
        dependsOn: [...(args.after ?? [])],
        replaceOnChanges: ["stdin"],
        deleteBeforeReplace: false,
      }),
      pulumi
        .all(args.files)
        .apply((files) =>
          [...(args.guard ? [args.guard.script] : []), writeScript(files)].join("\n"),
        ),
    );

    this.written = writer;
    this.version = writer.id;
  }

  /** The volume for a container's `volumes`, read-only. The container must depend on {@link written}. */
  mountedAt(containerPath: string): docker.types.input.ContainerVolume {
    return { volumeName: this.volume.name, containerPath, readOnly: true };
  }
}

const FOLDER = "/files";

/**
 * A script for sh that leaves exactly these files in the folder, each in one step, so that nobody reads half of one. Any user
 * may read them: the volume is mounted only where it is meant to be read.
 */
export function writeScript(
  files: Readonly<Record<string, string>>,
  folder: string = FOLDER,
): string {
  const names = Object.keys(files).sort();
  return [
    "set -eu",
    `cd ${folder}`,
    ...names.flatMap((name) => [
      `printf %s ${quoted(files[name] ?? "")} >.new`,
      "chmod 0444 .new",
      `mv -f .new ${quoted(name)}`,
    ]),
    `for file in *; do case $file in ${names.map(quoted).join("|")}) ;; *) rm -f "$file" ;; esac; done`,
    "",
  ].join("\n");
}

/** For sh, which takes everything between single quotes as it is. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
