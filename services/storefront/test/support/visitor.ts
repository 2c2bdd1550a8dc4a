import assert from "node:assert/strict";

/** A page, as somebody got it. */
export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The text that people read. */
  readonly words: string;
  /** What a form would send as it stands, by the path that it is sent to. */
  form(action: string, index?: number): Record<string, string>;
}

/** Somebody with a browser that has cookies and no scripts. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Another one with the same cookies: the same browser, a moment ago. */
  clone(): Visitor {
    const other = new Visitor(this.#url);
    for (const [name, value] of this.cookies) other.cookies.set(name, value);
    return other;
  }

  get(path: string): Promise<Page> {
    return this.#send(path, {});
  }

  /** Sends a form and doesn't follow where the answer leads. */
  post(
    path: string,
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = { origin: this.#url },
  ): Promise<Page> {
    return this.#send(path, { method: "POST", body: new URLSearchParams(fields), headers });
  }

  /** Sends a form and gives the page that it leads to. */
  async submit(path: string, fields: Readonly<Record<string, string>>): Promise<Page> {
    const answer = await this.post(path, fields);
    assert.equal(answer.status, 303, answer.words);
    return this.get(locationOf(answer));
  }

  async #send(path: string, { headers, ...init }: RequestInit): Promise<Page> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(this.#url + path, {
      ...init,
      headers: { accept: "text/html", ...(headers as Record<string, string>), cookie },
      redirect: "manual",
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return page(response, await response.text());
  }

  #keep(line: string): void {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === "") this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

export function locationOf({ headers, words }: Page): string {
  return headers.get("location") ?? assert.fail(`leads nowhere: ${words}`);
}

function page({ status, headers }: Response, text: string): Page {
  const words = unescape(text.replaceAll(/<(style|script)[\s\S]*?<\/\1>|<[^>]+>/g, " "));
  return {
    status,
    headers,
    text,
    words: words.replaceAll(/\s+/g, " ").replaceAll(/ (?=[.,:])/g, ""),
    form: (action, index = 0) => {
      const forms = [...text.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)].filter(
        ([, attributes = ""]) => attribute(attributes, "action") === action,
      );
      const [, , inside] = forms[index] ?? assert.fail(`no form for ${action}: ${words}`);
      return fieldsOf(inside ?? "");
    },
  };
}

function fieldsOf(form: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [, attributes = ""] of form.matchAll(/<input([^>]*)>/g)) {
    const isChoice = attribute(attributes, "type") === "radio";
    if (isChoice && !/\schecked\b/.test(attributes)) continue;
    fields[attribute(attributes, "name")] = attribute(attributes, "value");
  }
  for (const [, attributes = "", options = ""] of form.matchAll(
    /<select([^>]*)>([\s\S]*?)<\/select>/g,
  )) {
    const chosen = [...options.matchAll(/<option([^>]*)>/g)].find(([, option = ""]) =>
      /\sselected\b/.test(option),
    );
    fields[attribute(attributes, "name")] = attribute(chosen?.[1] ?? "", "value");
  }
  for (const [, attributes = "", text = ""] of form.matchAll(
    /<textarea([^>]*)>\n?([\s\S]*?)<\/textarea\s*>/g,
  )) {
    fields[attribute(attributes, "name")] = unescape(text);
  }
  return fields;
}

function attribute(attributes: string, name: string): string {
  return unescape(new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1] ?? "");
}

const entities: Record<string, string> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&amp;": "&",
};

function unescape(text: string): string {
  return text.replaceAll(/&(?:lt|gt|quot|#39|amp);/g, (entity) => entities[entity] ?? entity);
}
