/** A page, as a shopper's browser got it. */
interface Page {
  readonly status: number;
  readonly text: string;
  /** Where it leads, if it does. */
  readonly location: string | undefined;
}

/** Somebody with a browser that keeps cookies, says where a form comes from, and runs no script. */
export class Shopper {
  private readonly cookies = new Map<string, string>();

  constructor(private readonly url: string) {}

  get(path: string): Promise<Page> {
    return this.send(path, {});
  }

  /** Sends a form, and doesn't follow where the answer leads. */
  post(path: string, fields: Record<string, string>, origin = this.url): Promise<Page> {
    return this.send(path, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { origin },
    });
  }

  private async send(path: string, { headers, ...init }: RequestInit): Promise<Page> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(this.url + path, {
      ...init,
      headers: { accept: "text/html", ...(headers as Record<string, string>), cookie },
      redirect: "manual",
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "") this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return {
      status: response.status,
      text: await response.text(),
      location: response.headers.get("location") ?? undefined,
    };
  }
}

/** What the checkout sends that nobody types: its hidden fields, and the way to pay that is chosen. */
export function untouchedFields({ text }: Pick<Page, "text">): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [, attributes = ""] of text.matchAll(/<input([^>]*)>/g)) {
    const of = (name: string): string | undefined =>
      new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1];
    const isChosen = of("type") === "radio" && /\schecked\b/.test(attributes);
    const name = of("name");
    if (name !== undefined && (of("type") === "hidden" || isChosen))
      fields[name] = of("value") ?? "";
  }
  return fields;
}
