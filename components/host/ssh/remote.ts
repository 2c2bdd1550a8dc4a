import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { RegistryAccess } from "../../registry/registry";
import { inSh } from "../../shell/shell";
import { NO_DEFAULTS_FROM_ENVIRONMENT } from "../provider";
import { SshAccess, sshOptions } from "./ssh";
import { sshUrl } from "./sshFiles";

export interface RemoteMachineArgs {
  readonly access: SshAccess;
  readonly commands: command.Provider;
  /** Script that waits until the machine is a Docker host, or makes it one. On failure its last lines are the error. */
  readonly ready: pulumi.Input<string>;
  /** Identifies the machine. A change means another machine, on which `ready` and all commands run again. */
  readonly machine: pulumi.Input<string>;
  /** Another machine, which the program creates, may get the address. Defaults to false. */
  readonly isReplaced?: boolean;
  /** Minutes within which the machine must answer SSH and `ready` must end. */
  readonly readyMinutes: number;
}

/** A machine with Docker that is reached by SSH with a pinned host key. */
export class RemoteMachine {
  /** The machine is a Docker host. */
  readonly ready: pulumi.CustomResource;
  /** Identifies the machine: changes when another one takes its place. */
  readonly identity: pulumi.Input<string>;
  private readonly connection: command.types.input.remote.ConnectionArgs;

  constructor(
    name: string,
    private readonly args: RemoteMachineArgs,
    private readonly opts: pulumi.CustomResourceOptions,
  ) {
    const { access, machine } = args;
    this.identity = machine;
    this.connection = {
      host: access.address,
      port: portOf(access),
      user: access.user,
      privateKey: access.privateKey,
      hostKey: access.hostKey,
      perDialTimeout: 15,
    };
    this.ready = this.waitUntilReady(name);
  }

  private waitUntilReady(name: string): command.remote.Command {
    const { readyMinutes, machine, commands, ready: script } = this.args;
    const seconds = readyMinutes * 60;
    return new command.remote.Command(
      `${name}-ready`,
      {
        connection: {
          ...this.connection,
          // A booting machine refuses connections at once; the provider waits at most 5 s between attempts.
          dialErrorLimit: Math.ceil(seconds / 5),
        },
        // The script is passed by standard input, because errors repeat the command, and read completely before it runs, because
        // a command in it could consume standard input.
        create: inSh(
          `script=$(cat); timeout ${seconds} sh -c "$script" </dev/null || { status=$?; [ $status != 124 ] || echo "not ready within ${readyMinutes} minutes (store:readyMinutes)" >&2; exit $status; }`,
        ),
        stdin: script,
        triggers: [machine],
      },
      {
        ...this.opts,
        provider: commands,
        // Ends the wait for a machine that accepts connections and never answers. One minute more than the script's own time limit,
        // so that the script's error comes first.
        customTimeouts: {
          create: `${readyMinutes + 1}m`,
          update: `${readyMinutes + 1}m`,
        },
      },
    );
  }

  /** @see Host.run */
  run(
    name: string,
    script: pulumi.Input<string>,
    opts: pulumi.CustomResourceOptions,
    stdin?: pulumi.Input<string>,
    { onDelete, logging, triggers = [] }: CommandOptions = {},
  ): command.remote.Command {
    const all = [this.args.machine, ...triggers];
    // The delete script can't run on a machine that is gone, and must not delete what has just been created on its successor, so it runs there
    // first. With the triggers as inputs, the engine would run it before it replaces the machine.
    const isUndone = onDelete !== undefined && this.args.isReplaced;
    return new command.remote.Command(
      name,
      {
        connection: this.connection,
        create: pulumi.output(script).apply(inSh),
        ...(onDelete !== undefined && { delete: inSh(onDelete) }),
        ...(logging !== undefined && { logging }),
        stdin,
        ...(!isUndone && { triggers: all }),
      },
      {
        ...opts,
        provider: this.args.commands,
        deletedWith: this.opts.deletedWith,
        // The next machine may have the same address: what the script has created there must not be deleted.
        ...(onDelete !== undefined && { deleteBeforeReplace: true }),
        ...(isUndone && { replacementTrigger: pulumi.all(all).apply((texts) => texts.join(" ")) }),
        // A changed address may be another name of the same machine, on which the delete script would undo what is in use. The script runs
        // there anyway, because the connection changes as well.
        ...(onDelete !== undefined && !this.args.isReplaced && { ignoreChanges: ["triggers"] }),
      },
    );
  }
}

interface CommandOptions {
  /** Script that runs when the resource is deleted, or replaced because of a trigger. Defaults to none. */
  readonly onDelete?: string;
  /** Defaults to both streams. */
  readonly logging?: command.types.enums.remote.Logging;
  /** The script runs again when one changes. Defaults to none beside the machine. */
  readonly triggers?: readonly pulumi.Input<string>[];
}

export interface RemoteDockerArgs {
  readonly access: SshAccess;
  /** Resource after which the machine's Docker may be used. */
  readonly ready: pulumi.CustomResource;
  /** Registry from which the host pulls images. Defaults to none. */
  readonly registry?: RegistryAccess;
}

/** Creates the provider of Docker on another machine, by SSH. */
export function remoteDocker(
  name: string,
  { access, ready, registry }: RemoteDockerArgs,
  opts: pulumi.CustomResourceOptions,
): docker.Provider {
  // Depends on `ready`: with an address known earlier, the engine would use the provider before there is a daemon.
  const address = pulumi
    .all([access.address, ready.id])
    .apply(([host]) => sshUrl(access.user, host, portOf(access)));
  return new docker.Provider(
    `${name}-docker`,
    {
      ...NO_DEFAULTS_FROM_ENVIRONMENT,
      host: address,
      sshOpts: sshOptions(access),
      registryAuth: registry?.pull && [{ ...registry.pull, address: registry.address }],
    },
    { ...opts, dependsOn: [ready] },
  );
}

function portOf({ port = 22 }: SshAccess): number {
  return port;
}
