/** An event of Docker about a container. */
export interface ContainerEvent {
  readonly id: string;
  /** For example "die" or "health_status: healthy". */
  readonly action: string;
  /** Exit code, in events about an exit. */
  readonly exitCode?: number;
}

/** Exits after which a container is taken for one that can't start. */
const MOST_EXITS = 3;

/**
 * Decides by Docker's events which of the containers that a run has created will not become healthy: those that have exited several
 * times since the last other container became healthy. Until then, a container may exit because it waits for another one, such as its
 * database.
 */
export class StartingContainers {
  private readonly exits = new Map<string, number>();

  /** Returns the IDs of the containers to give up. */
  handle({ id, action }: ContainerEvent): string[] {
    if (action === "create") this.exits.set(id, 0);
    const exits = this.exits.get(id);
    if (exits === undefined) return [];
    if (action === "destroy") this.exits.delete(id);
    if (action === "die") this.exits.set(id, exits + 1);
    if (action === "health_status: healthy") {
      this.exits.delete(id);
      for (const other of this.exits.keys()) this.exits.set(other, 0);
    }
    const starting = [...this.exits];
    if (!starting.every(([, count]) => count >= MOST_EXITS)) return [];
    this.exits.clear();
    return starting.map(([other]) => other);
  }
}
