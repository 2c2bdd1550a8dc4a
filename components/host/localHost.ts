import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { endpointVariables } from "@store/docker/environment";
import type { UserLogin } from "@store/docker/registryLogin";
import { DataVolume, Host } from "./host";
import { NO_DEFAULTS_FROM_ENVIRONMENT } from "./provider";

export interface LocalHostArgs {
  /** Address of the daemon, for example "unix:///var/run/docker.sock". Required, so that DOCKER_HOST of the environment has no effect. */
  readonly dockerHost: string;
  /** Absolute path of the folder with the client's TLS certificates: ca.pem, cert.pem and key.pem. Defaults to no TLS. */
  readonly certPath?: string;
  /** The user's logins at the registries of third-party images. Defaults to none. */
  readonly logins?: readonly UserLogin[];
}

/** The Docker daemon of this machine. Ports are published to this machine only. */
export class LocalHost extends pulumi.ComponentResource implements Host {
  readonly provider: docker.Provider;
  readonly commands: command.Provider;
  readonly bindAddress = "127.0.0.1";
  readonly address = "localhost";
  readonly access = undefined;
  readonly sharesFiles = true;
  readonly platform = undefined;
  readonly registry = undefined;
  readonly childOptions = {};

  constructor(
    name: string,
    private readonly args: LocalHostArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("store:index:LocalHost", name, {}, opts);
    this.provider = new docker.Provider(
      `${name}-docker`,
      {
        ...NO_DEFAULTS_FROM_ENVIRONMENT,
        host: args.dockerHost,
        certPath: args.certPath ?? "",
        registryAuth: args.logins?.length ? [...args.logins] : undefined,
      },
      { parent: this },
    );
    this.commands = new command.Provider(`${name}-command`, {}, { parent: this });
    this.registerOutputs({ address: this.address });
  }

  run(
    name: string,
    script: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
    stdin?: pulumi.Input<string>,
  ): pulumi.CustomResource {
    const { dockerHost: host, certPath } = this.args;
    const environment = endpointVariables({ host, certPath });
    return new command.local.Command(
      name,
      { create: script, stdin, environment },
      { ...opts, provider: this.commands },
    );
  }

  dataVolume(): DataVolume {
    return { args: {}, protect: true };
  }
}
