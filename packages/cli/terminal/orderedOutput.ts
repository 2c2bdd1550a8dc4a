/**
 * Writes the output of concurrent tasks in the order of their sections. The first open section is written immediately; the
 * output of the others is buffered until all sections before them have ended.
 */
export class OrderedOutput {
  readonly #open: Section[] = [];
  readonly #stream: NodeJS.WritableStream;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  /** Adds a section after the existing ones. */
  section(): Section {
    const section = new Section(() => this.#flush());
    this.#open.push(section);
    return section;
  }

  #flush(): void {
    for (let first = this.#open[0]; first !== undefined; first = this.#open[0]) {
      for (const chunk of first.takeBuffered()) this.#stream.write(chunk);
      if (!first.ended) return;
      this.#open.shift();
    }
  }
}

export class Section {
  #buffered: (string | Buffer)[] = [];
  #ended = false;
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get ended(): boolean {
    return this.#ended;
  }

  write(chunk: string | Buffer): void {
    this.#buffered.push(chunk);
    this.#onChange();
  }

  end(last: string | Buffer = ""): void {
    this.#ended = true;
    this.write(last);
  }

  /** Removes and returns the buffered output. */
  takeBuffered(): readonly (string | Buffer)[] {
    const chunks = this.#buffered;
    this.#buffered = [];
    return chunks;
  }
}
