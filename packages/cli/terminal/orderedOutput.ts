/**
 * What several write at the same time, one after the other: the first as it comes, what the others wrote meanwhile when it is their
 * turn, and from then on as it comes, too.
 */
export class OrderedOutput {
  readonly #open: Section[] = [];
  readonly #screen: NodeJS.WritableStream;

  constructor(screen: NodeJS.WritableStream) {
    this.#screen = screen;
  }

  /** After those that there are. */
  section(): Section {
    const section = new Section(() => {
      this.#show();
    });
    this.#open.push(section);
    return section;
  }

  #show(): void {
    for (let first = this.#open[0]; first !== undefined; first = this.#open[0]) {
      for (const chunk of first.take()) this.#screen.write(chunk);
      if (!first.ended) return;
      this.#open.shift();
    }
  }
}

export class Section {
  #chunks: (string | Buffer)[] = [];
  #ended = false;
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get ended(): boolean {
    return this.#ended;
  }

  write(chunk: string | Buffer): void {
    this.#chunks.push(chunk);
    this.#changed();
  }

  end(last: string | Buffer = ""): void {
    this.#ended = true;
    this.write(last);
  }

  /** What hasn't been taken yet. */
  take(): readonly (string | Buffer)[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }
}
