import * as http from "node:http";
import * as https from "node:https";

/** Response of the store. Redirects aren't followed. */
export interface ShopResponse {
  readonly status: number;
  readonly text: string;
  /** Target of a redirect. */
  readonly location: string | undefined;
}

export interface ShopClientOptions {
  /** Local IP address from which to connect. @default chosen by the operating system */
  readonly from?: string;
  /** Address to connect to, for a name that leads nowhere. @default the URL's */
  readonly at?: string;
  /** Root certificate of an HTTPS URL's certificate. @default those of Node */
  readonly root?: string;
}

interface Content {
  readonly type: string;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Longer than the 30 s within which the gateway answers every request. */
const TIMEOUT_MS = 35_000;

/** HTTP client of the store from outside: keeps cookies, sends forms like a browser without JavaScript, and calls the API. */
export class ShopClient {
  private readonly cookies = new Map<string, string>();

  constructor(
    readonly url: string,
    private readonly options: ShopClientOptions = {},
  ) {}

  get(path: string): Promise<ShopResponse> {
    return this.request("GET", path);
  }

  /** Submits a form. */
  post(
    path: string,
    fields: Record<string, string>,
    origin: string = this.url,
  ): Promise<ShopResponse> {
    return this.request("POST", path, {
      type: "application/x-www-form-urlencoded",
      text: new URLSearchParams(fields).toString(),
      headers: { origin },
    });
  }

  /** Sends JSON with an idempotency key. */
  postJson(path: string, body: object): Promise<ShopResponse> {
    return this.request("POST", path, {
      type: "application/json",
      text: JSON.stringify(body),
      headers: { "idempotency-key": crypto.randomUUID() },
    });
  }

  /** Returns the JSON at a path. @throws an error unless the status is 200. */
  async getJson<T>(path: string): Promise<T> {
    const { status, text } = await this.get(path);
    if (status !== 200) throw new Error(`GET ${path} returned ${status}: ${text.slice(0, 300)}`);
    return JSON.parse(text) as T;
  }

  private request(method: string, path: string, content?: Content): Promise<ShopResponse> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = {
      accept: content?.type === "application/json" ? "application/json" : "text/html, */*;q=0.8",
      ...(cookie !== "" && { cookie }),
      ...(content !== undefined && {
        "content-type": content.type,
        "content-length": String(Buffer.byteLength(content.text)),
        ...content.headers,
      }),
    };
    return new Promise((resolve, reject) => {
      const url = new URL(path, this.url);
      const { from, at, root } = this.options;
      const send = url.protocol === "https:" ? https.request : http.request;
      const request = send(
        url,
        {
          ...{ method, localAddress: from, timeout: TIMEOUT_MS, agent: false },
          headers: { ...headers, host: url.host },
          ...(at !== undefined && { hostname: at, servername: url.hostname }),
          ...(root !== undefined && { ca: root }),
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
          response.once("error", reject);
          response.once("end", () => {
            this.keepCookies(response.headers["set-cookie"] ?? []);
            const { statusCode: status = 0, headers: received } = response;
            resolve({ status, text, location: received.location });
          });
        },
      );
      request.once("timeout", () =>
        request.destroy(new Error(`no response within ${TIMEOUT_MS / 1000} s`)),
      );
      request.once("error", reject);
      request.end(content?.text);
    });
  }

  private keepCookies(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "") this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }
}

/** Returns the fields of a page's form that a user doesn't fill in: hidden fields, and the preselected radio buttons. */
export function presetFields({ text }: Pick<ShopResponse, "text">): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [, attributes = ""] of text.matchAll(/<input([^>]*)>/g)) {
    const attribute = (name: string): string | undefined =>
      new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1];
    const isChecked = attribute("type") === "radio" && /\schecked\b/.test(attributes);
    const name = attribute("name");
    if (name !== undefined && (attribute("type") === "hidden" || isChecked))
      fields[name] = attribute("value") ?? "";
  }
  return fields;
}
