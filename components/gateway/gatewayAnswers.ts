import { createHash } from "node:crypto";

/*
 * What the gateway answers by itself, as directives of HAProxy: a problem document (RFC 9457) for programs, and a page for people, whose
 * browsers ask for one. HAProxy keeps one answer for a status; so each has both in it, and txn.page says which is sent.
 */

/** In the section `global`: what all pages begin with. */
export const pageParts = (): string =>
  `    set-var-fmt proc.page_start '${PAGE_START.replaceAll("%", "%%")}'`;

/** In a frontend, before it refuses anything: an interface answers programs only. */
export const asksForPage = (): string => `    acl for_programs path /api
    acl for_programs path_beg /api/
    http-request set-var(txn.page) bool(true) if !for_programs { req.hdr(accept) -m sub text/html }
    http-request set-var(txn.page_start) var(proc.page_start) if { var(txn.page) -m bool }`;

/** In a frontend, before anything else is said of the answers' headers: those by which a page differs from a document. */
export const pageHeaders =
  (): string => `    http-after-response set-header content-type "text/html; charset=utf-8" if { var(txn.page) -m bool } { res.hdr(${MARK}) -m found }
    http-after-response set-header content-security-policy "${POLICY}" if { var(txn.page) -m bool } { res.hdr(${MARK}) -m found }
    http-after-response del-header ${MARK}`;

/** Answers a request that isn't passed on. A condition may follow. */
export function refuse(status: Status, detail: string, headers: Headers = {}): string {
  return `http-request return status ${status} ${answer(status, detail, headers)}`;
}

/** Answers where what was passed on comes to this. */
export function onFailure(status: Status, detail: string, headers: Headers = {}): string {
  return `http-error status ${status} ${answer(status, detail, headers)}`;
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
  const lines = Object.entries({ ...headers, "cache-control": "no-store", [MARK]: "1" });
  return [
    // In single quotes HAProxy takes everything as it is, but has no way to write the quote itself.
    `content-type application/problem+json lf-string '${body.replaceAll("'", "\u2019")}'`,
    ...lines.map(([name, value]) => `hdr ${name} "${value}"`),
  ].join(" ");
}

/** Where the request's id comes in. */
const ID = "REQUEST-ID";

/** Marks what is the gateway's own, until its headers are set. */
const MARK = "x-gateway-answer";

/** One text in pages, another one in documents. */
function either(page: string, document: string): string {
  const quoted = (text: string): string =>
    `"${text.replaceAll("\n", "").replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  return `%[var(txn.page,0),iif(${quoted(page)},${quoted(document)})]`;
}

/** As the shop looks, whose own pages can't be asked for when this is needed. */
const STYLE = [
  ":root{color-scheme:light dark;--ink:#23302d;--soft:#56625d;--paper:#fbf8f2;--brand:#1f3d38;--on:#fffdf6}",
  "@media(prefers-color-scheme:dark){:root{--ink:#ece7db;--soft:#b3b9b1;--paper:#131a18;--brand:#cfe3d8;--on:#10211d}}",
  "body{margin:0 auto;max-width:34rem;padding:15vh 1.5rem 3rem;background:var(--paper);color:var(--ink);font:1.0625rem/1.6 Inter,system-ui,-apple-system,Segoe UI,Roboto,sans-serif}",
  "h1{margin:0 0 1rem;font:600 2.25rem/1.15 Iowan Old Style,Palatino Linotype,Palatino,P052,Georgia,serif;letter-spacing:-.01em}",
  "a{display:inline-block;margin:1rem 0;padding:.7rem 1.4rem;border-radius:99px;background:var(--brand);color:var(--on);font-weight:600;text-decoration:none}",
  "a:focus-visible{outline:3px solid var(--ink);outline-offset:3px}",
  "small{color:var(--soft);overflow-wrap:anywhere}",
].join("");

const PAGE_START =
  `<!doctype html><html lang="en-AU"><meta charset="utf-8">` +
  `<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><style>${STYLE}</style>`;

const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const AWAY = {
  heading: "We’ll be right back",
  advice:
    "The shop doesn’t answer at the moment. Wait WAIT, then reload this page. Your basket is safe, and an order that is sent again is placed once.",
};

/** Titles for programs, as Node has them too, but its list changes with its version; and what people are told. */
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
