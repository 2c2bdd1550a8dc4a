import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { Files } from "./files";
import { Host } from "../host/host";

export interface SecretFilesArgs {
  /** The one service that they are for. @default none: several share them */
  readonly service?: string;
  readonly host: Host;
  /** An image with a shell that is on the host anyway. */
  readonly imageId: pulumi.Input<string>;
  /** The secrets by name. */
  readonly secrets: Readonly<Record<string, pulumi.Input<string>>>;
}

/** Secrets that containers find as files: the variable NAME_FILE says where the one called NAME is. */
export class SecretFiles {
  readonly files: Files;
  private readonly folder: string;
  private readonly names: readonly string[];

  constructor(name: string, args: SecretFilesArgs, opts: pulumi.CustomResourceOptions) {
    const { secrets, ...rest } = args;
    this.files = new Files(name, { ...rest, files: secrets }, opts);
    this.folder = `/run/secrets-${name}`;
    this.names = Object.keys(secrets).sort();
  }

  /** Where they are, for a container's environment. */
  environment(): [variable: string, path: string][] {
    return this.names.map((name) => [`${name}_FILE`, `${this.folder}/${name}`]);
  }

  /** For a container's volumes. */
  volume(): docker.types.input.ContainerVolume {
    return this.files.mountedAt(this.folder);
  }
}
