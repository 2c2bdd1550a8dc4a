import assert from "node:assert/strict";

/** A response of the shop. */
export interface Page {
  readonly status: number;
  readonly headers: Headers;
  /** The body: the page's HTML. */
  readonly text: string;
  /** The page's text without markup, with white space collapsed. */
  readonly visibleText: string;
  /**
   * Returns what a form would send if it were submitted without changes.
   *
   * @param action Path that the form is sent to.
   * @param index Number of the form, if several have the same path. Defaults to 0.
   */
  form(action: string, index?: number): Record<string, string>;
}

/** An HTTP client that behaves like a browser without scripts: it keeps cookies and sends the origin of a form. */
export class ShopClient {
  readonly cookies = new Map<string, string>();
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /**
   * @param url Base URL of the shop, without a path.
   * @param headers Headers of all requests, as the real gateway sets them. Defaults to none.
   */
  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#url = url;
    this.#headers = headers;
  }

  /** Creates a client with a copy of the cookies, to submit forms concurrently from the same browser. */
  clone(): ShopClient {
    const other = new ShopClient(this.#url, this.#headers);
    for (const [name, value] of this.cookies) other.cookies.set(name, value);
    return other;
  }

  get(path: string): Promise<Page> {
    return this.#send(path, {});
  }

  /** Submits a form without following a redirect. */
  post(
    path: string,
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = { origin: this.#url },
  ): Promise<Page> {
    return this.#send(path, { method: "POST", body: new URLSearchParams(fields), headers });
  }

  /** Submits a form and returns the page that it redirects to. */
  async submit(path: string, fields: Readonly<Record<string, string>>): Promise<Page> {
    const answer = await this.post(path, fields);
    assert.equal(answer.status, 303, answer.visibleText);
    return this.get(locationOf(answer));
  }

  async #send(path: string, { headers, ...init }: RequestInit): Promise<Page> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(this.#url + path, {
      ...init,
      headers: {
        accept: "text/html",
        ...this.#headers,
        ...(headers as Record<string, string>),
        cookie,
      },
      redirect: "manual",
    });
    for (const line of response.headers.getSetCookie()) this.#storeCookie(line);
    return toPage(response, await response.text());
  }

  #storeCookie(line: string): void {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === "") this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

/** @returns the path that a page redirects to; fails if it doesn't redirect. */
export function locationOf({ headers, visibleText }: Page): string {
  return headers.get("location") ?? assert.fail(`no redirect: ${visibleText}`);
}

function toPage({ status, headers }: Response, text: string): Page {
  const visibleText = unescape(text.replaceAll(/<(style|script)[\s\S]*?<\/\1>|<[^>]+>/g, " "))
    .replaceAll(/\s+/g, " ")
    .replaceAll(/ (?=[.,:])/g, "");
  return {
    status,
    headers,
    text,
    visibleText,
    form: (action, index = 0) => {
      const forms = [...text.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)].filter(
        ([, attributes = ""]) => attribute(attributes, "action") === action,
      );
      const [, , inside] = forms[index] ?? assert.fail(`no form for ${action}: ${visibleText}`);
      return fieldsOf(inside ?? "");
    },
  };
}

function fieldsOf(form: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [, attributes = ""] of form.matchAll(/<input([^>]*)>/g)) {
    const isRadio = attribute(attributes, "type") === "radio";
    if (isRadio && !/\schecked\b/.test(attributes)) continue;
    fields[attribute(attributes, "name")] = attribute(attributes, "value");
  }
  for (const [, attributes = "", options = ""] of form.matchAll(
    /<select([^>]*)>([\s\S]*?)<\/select>/g,
  )) {
    const selected = [...options.matchAll(/<option([^>]*)>/g)].find(([, option = ""]) =>
      /\sselected\b/.test(option),
    );
    fields[attribute(attributes, "name")] = attribute(selected?.[1] ?? "", "value");
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
