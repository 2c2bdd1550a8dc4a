import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import type { RemoteMachine } from "../host/ssh/remote";
import { readMachineScript, readWithoutComments, withArguments } from "../shell/shell";

export interface SwarmArgs {
  /** The machine with the gateway and the databases. The only manager: what depends on it wouldn't run without it anyway. */
  readonly manager: RemoteMachine;
  readonly workers: readonly Worker[];
  /** Resources after which the manager may have a swarm. Defaults to none. */
  readonly after?: readonly pulumi.Resource[];
  /**
   * Changes when another machine takes over the manager's address, without its swarm: the workers then leave that swarm, and join the next
   * one. Defaults to never.
   */
  readonly generation?: pulumi.Input<string>;
}

/** A machine that runs instances of services. */
export interface Worker {
  /** Name that no other worker has, and that stays the same. */
  readonly name: string;
  readonly machine: RemoteMachine;
}

/**
 * Several machines as one host by Docker Swarm, which connects their containers and moves the instances of a lost machine to the others. The
 * manager runs no services.
 */
export class Swarm extends pulumi.ComponentResource {
  /** All workers have joined and may run services; machines that aren't workers any more have left. */
  readonly members: pulumi.CustomResource;

  constructor(
    name: string,
    { manager, workers, after = [], generation }: SwarmArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("store:index:Swarm", name, {}, opts);
    const stack = `${pulumi.getProject()}/${pulumi.getStack()}`;
    const init = manager.run(
      `${name}-init`,
      withArguments(INIT_SCRIPT, [stack]),
      { parent: this, dependsOn: [manager.ready, ...after] },
      undefined,
      { onDelete: DISSOLVE_SCRIPT },
    );
    manager.run(
      `${name}-after-docker`,
      withArguments(INSTALL_AFTER_DOCKER, [AFTER_DOCKER_UNIT, AFTER_DOCKER, pulumi.getStack()]),
      { parent: this, dependsOn: [init] },
      undefined,
      { onDelete: withArguments(REMOVE_AFTER_DOCKER, [pulumi.getStack()]) },
    );
    // The token is valid until the workers have joined: members.sh replaces it. Each worker has an invitation of its own: with a common one, a
    // further worker would make all others join again, one of which may be down.
    const invitations = workers.map((worker) =>
      manager.run(
        `${name}-invitation-${worker.name}`,
        INVITATION_SCRIPT,
        { parent: this, dependsOn: [init], additionalSecretOutputs: ["stdout"] },
        undefined,
        { logging: "none", triggers: [init.id, worker.machine.identity] },
      ),
    );
    const nodes = workers.map((worker, i) =>
      worker.machine.run(
        `${name}-join-${worker.name}`,
        withArguments(JOIN_SCRIPT, [worker.name]),
        { parent: this, dependsOn: [worker.machine.ready] },
        invitations[i]?.stdout,
        generation === undefined
          ? { onDelete: withArguments(LEAVE_SCRIPT, [worker.name]) }
          : { onDelete: LEAVE_FOR_NEXT_SCRIPT, triggers: [generation] },
      ),
    );
    this.members = manager.run(
      `${name}-members`,
      pulumi
        .all([
          pulumi.all(nodes.map((node) => node.stdout)),
          fingerprint(invitations.map(({ stdout }) => stdout)),
        ])
        .apply(([ids, invited]) => {
          const script = withArguments(
            MEMBERS_SCRIPT,
            ids.map((id) => id.trim()),
          );
          // The comment makes the command run again after each invitation, so that the token in the state isn't valid. A trigger would replace
          // the resource, on whose ID the docker provider depends.
          return `${script}# ${invited}\n`;
        }),
      { parent: this, dependsOn: nodes },
    );
    this.registerOutputs({});
  }
}

/**
 * Makes everything in Docker depend on a swarm. Otherwise the engine would dissolve the swarm of a stack that goes back to one machine before, or
 * while, it deletes the services: then only their provider depends on the swarm, and it stays.
 */
export function dependingOn({ members }: Swarm): pulumi.ResourceTransformation {
  return ({ type, props, opts }) =>
    type.startsWith("docker:")
      ? { props, opts: pulumi.mergeOptions(opts, { dependsOn: [members] }) }
      : undefined;
}

/** Returns a text that changes with secrets and doesn't tell them. */
function fingerprint(secrets: readonly pulumi.Output<string>[]): pulumi.Output<string> {
  const hash = pulumi
    .all([...secrets])
    .apply((texts) => createHash("sha256").update(texts.join("\n")).digest("hex"));
  return pulumi.unsecret(hash);
}

const MACHINE = readMachineScript(__dirname, "machine.sh");

/** Returns a script that may call the functions of machine.sh. */
function script(name: string): string {
  return `${MACHINE}\n${readWithoutComments(__dirname, name)}`;
}

const INIT_SCRIPT = script("init.sh");
const INSTALL_AFTER_DOCKER = script("installAfterDocker.sh");
const REMOVE_AFTER_DOCKER = script("removeAfterDocker.sh");
const AFTER_DOCKER_UNIT = readWithoutComments(__dirname, "store-after-docker@.service");
const AFTER_DOCKER = readWithoutComments(__dirname, "afterDocker.sh");
const INVITATION_SCRIPT = script("invitation.sh");
const JOIN_SCRIPT = script("join.sh");
const MEMBERS_SCRIPT = script("members.sh");
const LEAVE_FOR_NEXT_SCRIPT = script("leaveForNext.sh");
const DISSOLVE_SCRIPT = readWithoutComments(__dirname, "dissolve.sh");
const LEAVE_SCRIPT = script("leave.sh");
