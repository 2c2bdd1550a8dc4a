import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { Host } from "../host/host";
import { readWithoutComments, withArguments } from "../shell/shell";
import { labels } from "./labels";

export interface FilesArgs {
  /** Service that the files belong to. Defaults to none: several services share the files. */
  readonly service?: string;
  readonly host: Host;
  /** ID of an image with a shell. It must be on the host already. */
  readonly imageId: pulumi.Input<string>;
  /** Content by file name. May be secret: content appears neither in an environment variable nor in `docker inspect`. */
  readonly files: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;
  /** Resources that must exist before the files are written. Defaults to none. */
  readonly after?: readonly pulumi.Resource[];
  /** The content is for the first time only: once written, the files keep what they have when it changes. Defaults to false. */
  readonly isInitial?: boolean;
  /** Check that runs before the files are written, and so before any container that needs them is touched. Defaults to none. */
  readonly preflight?: PreflightCheck;
}

export interface PreflightCheck {
  /** Script for sh in the image. Any exit code but 0 fails the `up`; the script's last line is the error. */
  readonly script: string;
  /** Volume that the script inspects, mounted read-only at {@link PREFLIGHT_FOLDER}. */
  readonly volumeName: pulumi.Input<string>;
}

/** Folder at which a preflight check finds its volume. */
export const PREFLIGHT_FOLDER = "/guarded";

/**
 * Files in a volume of their own, written by the program for containers to read.
 *
 * Docker can't copy a file into a container whose root file system is read-only, not even to a mounted volume. Therefore a
 * short-lived container mounts the volume and writes the files. It reads their content from standard input, because arguments and
 * variables are visible to others.
 *
 * Not a component, and neither is {@link Image}: a stack has many, each component adds 10 ms to a run without changes, and it would
 * group only two resources.
 */
export class Files {
  private readonly volume: docker.Volume;
  /** Resource that a container which reads the files must depend on. */
  readonly written: pulumi.Resource;
  /** Changes whenever the content of the files changes. */
  readonly version: pulumi.Output<string>;

  constructor(name: string, args: FilesArgs, opts: pulumi.CustomResourceOptions) {
    const ownLabels = labels({ service: args.service, role: "files" });
    this.volume = new docker.Volume(
      name,
      { labels: ownLabels },
      // The labels contain the stack's name. Other labels would replace the volume, by which portCheck.sh knows a renamed stack's gateway.
      pulumi.mergeOptions(opts, { ignoreChanges: ["labels"] }),
    );
    const options = ownLabels.map(({ label, value }) => `--label ${label}=${value}`).join(" ");
    // Without the capability, root can't read a folder that belongs to another user alone.
    const preflightVolume = args.preflight
      ? pulumi.interpolate`--cap-add DAC_READ_SEARCH --volume ${args.preflight.volumeName}:${PREFLIGHT_FOLDER}:ro `
      : "";
    const writer = args.host.run(
      name,
      pulumi.interpolate`docker run --rm --interactive --user 0 --network none --read-only --cap-drop ALL --security-opt no-new-privileges --log-driver none ${options} ${preflightVolume}--volume ${this.volume.name}:${FOLDER} --entrypoint sh ${args.imageId} -s`,
      // Other content replaces the command, so that `version`, which is its ID, changes.
      pulumi.mergeOptions(opts, {
        dependsOn: [...(args.after ?? [])],
        replaceOnChanges: ["stdin"],
        ...(args.isInitial === true && { ignoreChanges: ["stdin"] }),
        deleteBeforeReplace: false,
      }),
      pulumi
        .output(args.files)
        .apply((files) =>
          [...(args.preflight ? [args.preflight.script] : []), writeFilesScript(files)].join("\n"),
        ),
    );

    this.written = writer;
    this.version = writer.id;
  }

  /** Name of the volume. It stays the same for as long as the stack exists. */
  get volumeName(): pulumi.Output<string> {
    return this.volume.name;
  }

  /** Returns the read-only volume for a container's `volumes`. The container must depend on {@link written}. */
  mountedAt(containerPath: string): docker.types.input.ContainerVolume {
    return { volumeName: this.volumeName, containerPath, readOnly: true };
  }
}

const FOLDER = "/files";

const WRITE_FILES_SCRIPT = readWithoutComments(__dirname, "writeFiles.sh");

/** Returns a script for sh that leaves exactly these files in the folder. */
export function writeFilesScript(
  files: Readonly<Record<string, string>>,
  folder: string = FOLDER,
): string {
  const sorted = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return withArguments(WRITE_FILES_SCRIPT, [folder, ...sorted.flat()]);
}
