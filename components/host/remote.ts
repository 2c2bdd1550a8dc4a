import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { RegistryAccess } from "../registry";
import { SshAccess, sshOptions } from "./ssh";

export interface RemoteDockerArgs {
  readonly access: SshAccess;
  /** Script that waits until the machine is a Docker host, or makes it one. Its last lines are the error when it fails. */
  readonly ready: pulumi.Input<string>;
  /** When this changes, the machine is another one and `ready` runs again. */
  readonly machine: pulumi.Input<string>;
  /** Within how many minutes the machine must answer SSH and `ready` must end. */
  readonly readyMinutes: number;
  /** The registry from which the host pulls. @default none */
  readonly registry?: RegistryAccess;
}

/** Docker on another machine, reached by SSH with a pinned host key. */
export class RemoteDocker {
  readonly provider: docker.Provider;
  private readonly commands: command.Provider;
  private readonly connection: command.types.input.remote.ConnectionArgs;

  constructor(
    name: string,
    private readonly args: RemoteDockerArgs,
    private readonly opts: pulumi.CustomResourceOptions,
  ) {
    const { access, registry } = args;
    const port = access.port ?? 22;
    this.commands = new command.Provider(`${name}-command`, {}, opts);
    this.connection = {
      host: access.address,
      port,
      user: access.user,
      privateKey: access.privateKey,
      hostKey: access.hostKey,
      perDialTimeout: DIAL_SECONDS,
      // A machine that boots refuses at once, or lets us wait: this many tries take at least the time that it is given.
      dialErrorLimit: Math.ceil((args.readyMinutes * 60) / DIAL_SECONDS),
    };
    const ready = new command.remote.Command(
      `${name}-ready`,
      {
        connection: this.connection,
        create: pulumi.interpolate`timeout ${args.readyMinutes * 60} sh -c ${pulumi
          .output(args.ready)
          .apply(
            shellQuoted,
          )} || { status=$?; [ $status != 124 ] || echo "not ready within ${args.readyMinutes} minutes (store:readyMinutes)" >&2; exit $status; }`,
        triggers: [args.machine],
      },
      {
        ...opts,
        provider: this.commands,
        customTimeouts: {
          create: `${args.readyMinutes * 2}m`,
          update: `${args.readyMinutes * 2}m`,
        },
      },
    );
    // From what waited for it: known before that, the provider would be asked to connect before there is a daemon.
    const address = pulumi
      .all([access.address, ready.id])
      .apply(([host]) => `ssh://${access.user}@${host}:${port}`);
    this.provider = new docker.Provider(
      `${name}-docker`,
      {
        host: address,
        sshOpts: sshOptions(access),
        registryAuth: registry && [
          { address: registry.address, username: registry.username, password: registry.password },
        ],
      },
      { ...opts, dependsOn: [ready] },
    );
  }

  /** @see Host.run */
  run(
    name: string,
    script: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
    stdin?: pulumi.Input<string>,
  ): pulumi.CustomResource {
    return new command.remote.Command(
      name,
      { connection: this.connection, create: script, stdin, triggers: [this.args.machine] },
      { ...opts, provider: this.commands, deletedWith: this.opts.deletedWith },
    );
  }
}

const DIAL_SECONDS = 15;

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
