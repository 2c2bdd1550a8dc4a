import { PlainMachine } from "./machine/plainMachine";

/** What the process that plays Azure is told (settings.json). */
export interface Settings {
  /** Short, and in the name and the labels of all that it makes. */
  readonly id: string;
  /** The Docker daemon of this machine. */
  readonly dockerHost: string;
  /** 1 takes the time that Azure takes, 0 none. */
  readonly pace: number;
  /** Whether there is to be a machine that isn't Azure's, with SSH and without Docker. */
  readonly plainMachine: boolean;
}

/** What it is told while it runs, by the process that has started it. */
export interface Message {
  /** It is to go on when that process ends. */
  readonly keep?: boolean;
  /** ID of a resource that somebody deletes by hand. */
  readonly deleteByHand?: string;
}

/** What it says when it is ready (ready.json). */
export interface Ready {
  readonly pid: number;
  /** Of the provider, for PULUMI_DEBUG_PROVIDERS. */
  readonly port: number;
  readonly registry: {
    readonly address: string;
    readonly username: string;
    readonly password: string;
    readonly image: string;
    /** Its name in Docker. */
    readonly container: string;
  };
  readonly machine?: PlainMachine;
  /** Where the stand-in for Azure's command asks. */
  readonly az: string;
}
