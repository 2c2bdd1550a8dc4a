import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { RegistryAccess } from "../../registry/registry";
import { SshAccess, sshOptions } from "./ssh";

export interface RemoteDockerArgs {
  readonly access: SshAccess;
  readonly commands: command.Provider;
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
  private readonly connection: command.types.input.remote.ConnectionArgs;

  constructor(
    name: string,
    private readonly args: RemoteDockerArgs,
    private readonly opts: pulumi.CustomResourceOptions,
  ) {
    const { access, commands, registry } = args;
    const port = access.port ?? 22;
    this.connection = {
      host: access.address,
      port,
      user: access.user,
      privateKey: access.privateKey,
      hostKey: access.hostKey,
      perDialTimeout: 15,
    };
    const seconds = args.readyMinutes * 60;
    const ready = new command.remote.Command(
      `${name}-ready`,
      {
        connection: {
          ...this.connection,
          // A machine that boots refuses at once, and the provider pauses for five seconds at most before it tries again.
          dialErrorLimit: Math.ceil(seconds / 5),
        },
        // The script comes by standard input, because errors repeat the command; and what the script runs must not read it away.
        create: `script=$(cat); timeout ${seconds} sh -c "$script" </dev/null || { status=$?; [ $status != 124 ] || echo "not ready within ${args.readyMinutes} minutes (store:readyMinutes)" >&2; exit $status; }`,
        stdin: args.ready,
        triggers: [args.machine],
      },
      {
        ...opts,
        provider: commands,
        // Of one that takes connections and says nothing, only this makes an end. A minute more, so that the script's own words come first.
        customTimeouts: {
          create: `${args.readyMinutes + 1}m`,
          update: `${args.readyMinutes + 1}m`,
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
        registryAuth: registry && [{ address: registry.address, ...registry.pull }],
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
      { ...opts, provider: this.args.commands, deletedWith: this.opts.deletedWith },
    );
  }
}
