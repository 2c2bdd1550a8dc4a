import { createHash } from "node:crypto";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { StackSecret } from "../../services/spec";
import { Host } from "../host/host";
import { Files } from "./files";
import { labels } from "./labels";

export interface SecretFilesArgs {
  /** Service that the secrets belong to. Defaults to none: several services share them. */
  readonly service?: string;
  readonly host: Host;
  /** ID of an image with a shell. It must be on the host already. */
  readonly imageId: pulumi.Input<string>;
  /** Secrets by name. */
  readonly secrets: Readonly<Record<string, pulumi.Input<string>>>;
  /** Resources that must exist before the files are written. Defaults to none. */
  readonly after?: readonly pulumi.Resource[];
}

/**
 * Secrets as files. A container finds the path of the secret NAME in the variable NAME_FILE. On a swarm, they are Swarm's secrets, because the
 * container may run on any machine.
 */
export class SecretFiles {
  /** The files on the host. Undefined on a swarm. */
  readonly files: Files | undefined;
  /** The files for a Swarm service's `secrets`: none on one machine. */
  readonly swarmFiles: readonly SwarmSecret[];
  private readonly folder: string;
  private readonly names: readonly string[];

  constructor(name: string, args: SecretFilesArgs, opts: pulumi.CustomResourceOptions) {
    const { secrets, ...rest } = args;
    this.folder = `/run/secrets-${name}`;
    this.names = Object.keys(secrets).sort();
    const isSwarm = args.host.swarm !== undefined;
    this.files = isSwarm ? undefined : new Files(name, { ...rest, files: secrets }, opts);
    // In an order that the configuration doesn't decide: another one would replace the services.
    this.swarmFiles = (isSwarm ? this.names : []).map((secret) =>
      swarmSecret(
        `${name}-${secret}`,
        { service: args.service, value: secrets[secret] ?? "", path: `${this.folder}/${secret}` },
        opts,
      ),
    );
  }

  /** Resources that a container which reads the files must depend on. */
  get written(): readonly pulumi.Resource[] {
    return this.files === undefined ? [] : [this.files.written];
  }

  /** Returns the variables for a container's environment. */
  environment(): [variable: string, path: string][] {
    return this.names.map((name) => [`${name}_FILE`, `${this.folder}/${name}`]);
  }

  /** Returns the volume for a container's `volumes`: none on a swarm. */
  volumes(): docker.types.input.ContainerVolume[] {
    return this.files === undefined ? [] : [this.files.mountedAt(this.folder)];
  }
}

export type SwarmSecret = docker.types.input.ServiceTaskSpecContainerSpecSecret;

interface SwarmSecretArgs {
  /** Service that the secret belongs to. Defaults to none. */
  readonly service?: string;
  readonly value: pulumi.Input<string>;
  /** Path in the container; a relative one is below /run/secrets. */
  readonly path: string;
}

/** Creates a secret of Swarm's, which can't be changed: another value replaces it, and so the services that have it. */
export function swarmSecret(
  name: string,
  { service, value, path }: SwarmSecretArgs,
  opts: pulumi.CustomResourceOptions,
): SwarmSecret {
  // Swarm refuses an empty secret, such as the list of the callers of a service that has none.
  const data = pulumi
    .secret(value)
    .apply((text) => Buffer.from(text === "" ? "\n" : text).toString("base64"));
  const secret = new docker.Secret(
    uniqueShortName(name),
    { data, labels: labels({ service, role: "files" }) },
    { ...opts, deleteBeforeReplace: false },
  );
  return {
    ...{ secretId: secret.id, secretName: secret.name },
    // Readable for the service's user, in a container that nobody else uses.
    ...{ fileName: path, fileMode: 0o444 },
  };
}

/** Swarm's limit for the name of a secret is 64 characters, of which Pulumi's random suffix has eight. */
const NAME_CHARACTERS = 56;

/** Returns a name within the limit, which no other long name has. */
function uniqueShortName(name: string): string {
  if (name.length <= NAME_CHARACTERS) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, NAME_CHARACTERS - hash.length - 1)}-${hash}`;
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
