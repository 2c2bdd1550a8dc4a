import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { labels } from "./labels";

export interface FilesArgs {
  /** Name of the service that the files are for. @default none: several share them */
  readonly service?: string;
  /** An image that is on the host anyway. Nothing of it ever runs. */
  readonly imageId: pulumi.Input<string>;
  /** Content by file name. Secrets may be among them: content is never in an environment variable or in `docker inspect`. */
  readonly files: Readonly<Record<string, pulumi.Input<string>>>;
}

/**
 * Files that the program writes for containers to read, in a volume of their own.
 *
 * Docker refuses to copy a file into a container whose root file system is read-only, also where a volume is mounted. So a
 * second container, which is created but never started, has the volume mounted and takes the files.
 */
export class Files extends pulumi.ComponentResource {
  private readonly volume: docker.Volume;
  /** ID of the container that took the files. It changes whenever their content does. */
  readonly version: pulumi.Output<string>;

  constructor(name: string, args: FilesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("store:index:Files", name, {}, opts);

    this.volume = new docker.Volume(
      name,
      { labels: labels({ service: args.service, role: "files" }) },
      { parent: this },
    );

    const writer = new docker.Container(
      name,
      {
        image: args.imageId,
        start: false,
        mustRun: false,
        networkMode: "none",
        volumes: [{ volumeName: this.volume.name, containerPath: FOLDER }],
        // Readable by any user: the volume is mounted only where it is meant to be read.
        uploads: Object.entries(args.files).map(([file, content]) => ({
          file: `${FOLDER}/${file}`,
          content,
          permissions: "0444",
        })),
        labels: labels({ service: args.service, role: "files" }),
      },
      // Deleted first, as the docker provider would have it, it would take with it whoever depends on it.
      { parent: this, deleteBeforeReplace: false },
    );

    this.version = writer.id;
    this.registerOutputs({ version: this.version });
  }

  /** The volume for a container's `volumes`, read-only. The container must depend on this component, so that the files are there. */
  mountedAt(containerPath: string): docker.types.input.ContainerVolume {
    return { volumeName: this.volume.name, containerPath, readOnly: true };
  }
}

const FOLDER = "/files";
