import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { StackSecret } from "../../services/spec";
import { Host } from "../host/host";
import { Files } from "./files";

export interface SecretFilesArgs {
  /** Service that the secrets belong to. Defaults to none: several services share them. */
  readonly service?: string;
  readonly host: Host;
  /** ID of an image with a shell. It must be on the host already. */
  readonly imageId: pulumi.Input<string>;
  /** Secrets by name. */
  readonly secrets: Readonly<Record<string, pulumi.Input<string>>>;
}

/** Secrets as files. A container finds the path of the secret NAME in the variable NAME_FILE. */
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

  /** Returns the variables for a container's environment. */
  environment(): [variable: string, path: string][] {
    return this.names.map((name) => [`${name}_FILE`, `${this.folder}/${name}`]);
  }

  /** Returns the volume for a container's `volumes`. */
  volume(): docker.types.input.ContainerVolume {
    return this.files.mountedAt(this.folder);
  }
}

/** The stack's secrets as files, each created when the first service needs it. */
export class SharedSecrets {
  private readonly created = new Map<StackSecret, SecretFiles>();

  constructor(
    private readonly values: Readonly<Record<StackSecret, pulumi.Input<string>>>,
    private readonly args: Pick<SecretFilesArgs, "host" | "imageId">,
    private readonly opts: pulumi.CustomResourceOptions,
  ) {}

  of(secret: StackSecret): SecretFiles {
    const existing = this.created.get(secret);
    if (existing) return existing;
    const files = new SecretFiles(
      secret.toLowerCase().replaceAll("_", "-"),
      { ...this.args, secrets: { [secret]: this.values[secret] } },
      this.opts,
    );
    this.created.set(secret, files);
    return files;
  }
}
