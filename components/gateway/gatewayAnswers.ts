import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/*
 * The gateway's own answers, as directives of HAProxy: a problem document (RFC 9457) for programs, a page for browsers. HAProxy keeps
 * one answer per status, so each answer contains both, and the variable txn.page selects one.
 */

/** Directive that answers a request which isn't proxied. A condition may follow. */
export function refuse(status: Status, detail: string, headers: Headers = {}): string {
  return `http-request return status ${status} ${answer(status, detail, headers)}`;
}

/** Directive that answers a proxied request which has failed with this status. */
function onFailure(status: Status, detail: string, headers: Headers = {}): string {
  return `http-error status ${status} ${answer(status, detail, headers)}`;
}

/**
 * Replaces `{{refuse STATUS "detail" header="value"}}` and `{{onFailure …}}` in a configuration. The header is optional.
 *
 * @throws Error for a status without words.
 */
export function renderAnswers(config: string): string {
  return config.replace(
    /\{\{(refuse|onFailure) (\d{3}) "([^"]*)"(?: ([a-z-]+)="([^"]*)")?\}\}/g,
    (_, kind: string, digits: string, detail: string, header?: string, value?: string) => {
      const status = Number(digits);
      if (!isStatus(status)) throw new Error(`no words for status ${status}`);
      const headers = header === undefined || value === undefined ? {} : { [header]: value };
      return (kind === "refuse" ? refuse : onFailure)(status, detail, headers);
    },
  );
}

type Headers = Readonly<Record<string, string>>;

function answer(status: Status, detail: string, headers: Headers): string {
  const { title, heading, advice } = WORDS[status];
  const instance = `urn:store:request:${ID}`;
  const document = JSON.stringify({ type: "about:blank", title, status, detail, instance });
  const wait = headers["retry-after"];
  const page = `<title>${heading}</title><main>
<h1>${heading}</h1>
<p>${advice.replace("WAIT", Number(wait) > 5 ? `${wait} seconds` : "a few seconds")}</p>
<p><a href="/">To the shop</a></p>
<p><small>Reference: ${ID}</small></p></main>
`;
  const [pageUntilId = "", pageRest = ""] = page.split(ID);
  const [documentUntilId = "", documentRest = ""] = document.split(ID);
  const body = [
    "%[var(txn.page_start,)]",
    either(pageUntilId, documentUntilId),
    "%[var(txn.request_id)]",
    either(pageRest, documentRest),
  ].join("");
  // haproxy.cfg removes the mark x-gateway-answer after setting the headers of a page.
  const lines = Object.entries({
    ...headers,
    "cache-control": "no-store",
    "x-gateway-answer": "1",
  });
  return [
    // Between single quotes HAProxy takes everything literally, but a single quote can't be escaped there.
    `content-type application/problem+json lf-string '${body.replaceAll("'", "\u2019")}'`,
    ...lines.map(([name, value]) => `hdr ${name} "${value}"`),
  ].join(" ");
}

/** Placeholder of the request's ID. */
const ID = "REQUEST-ID";

/** Expression for one text in pages and another one in documents. */
function either(page: string, document: string): string {
  const quoted = (text: string): string =>
    `"${text.replaceAll("\n", "").replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  return `%[var(txn.page,0),iif(${quoted(page)},${quoted(document)})]`;
}

/** Returns the style sheet without comments and white space. */
function minified(css: string): string {
  return css
    .replace(/\/\*[^]*?\*\//g, "")
    .replace(/\s+/g, " ")
    .replace(/ ?([{}:;,]) ?/g, "$1")
    .replaceAll(";}", "}")
    .trim();
}

const STYLE = minified(readFileSync(join(__dirname, "errorPage.css"), "utf8"));

/** Start of all pages. */
export const PAGE_START =
  `<!doctype html><html lang="en-AU"><meta charset="utf-8">` +
  `<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><style>${STYLE}</style>`;

/** Content security policy of all pages. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const AWAY = {
  heading: "We’ll be right back",
  advice:
    "The shop doesn’t answer at the moment. Wait WAIT, then reload this page. Your basket is safe, and an order that is sent again is placed once.",
};

/** Titles for programs (not from Node's own list, which changes with its version), and headings and advice for people. */
const WORDS = {
  400: {
    title: "Bad Request",
    heading: "We can’t read that",
    advice: "There is a mistake in the address, or in what was sent. Start again from the shop.",
  },
  404: {
    title: "Not Found",
    heading: "We can’t find that",
    advice: "There is nothing at this address. It may be mistyped, or the page has moved.",
  },
  405: {
    title: "Method Not Allowed",
    heading: "That isn’t possible here",
    advice: "This address can’t be used like that. Start again from the shop.",
  },
  408: {
    title: "Request Timeout",
    heading: "That broke off on its way",
    advice: "What you sent took too long to arrive. Go back and send it again.",
  },
  413: {
    title: "Content Too Large",
    heading: "That is too much",
    advice: "What you sent is larger than we take. Go back and send less.",
  },
  414: {
    title: "URI Too Long",
    heading: "That address is too long",
    advice: "Shorten it, or start again from the shop.",
  },
  421: {
    title: "Misdirected Request",
    heading: "That isn’t our address",
    advice: "The shop isn’t known by the name in the address that you have opened.",
  },
  429: {
    title: "Too Many Requests",
    heading: "One moment, please",
    advice:
      "More came from your network at once than we can take. Wait WAIT, then reload this page.",
  },
  500: {
    title: "Internal Server Error",
    heading: "Something broke",
    advice: "That was our mistake. Go back and try again.",
  },
  502: { title: "Bad Gateway", ...AWAY },
  503: { title: "Service Unavailable", ...AWAY },
  504: { title: "Gateway Timeout", ...AWAY },
} as const;

type Status = keyof typeof WORDS;

function isStatus(status: number): status is Status {
  return status in WORDS;
}
