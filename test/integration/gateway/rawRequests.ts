import * as fc from "fast-check";

/** A complete request as bytes, one Latin-1 character each. */
export interface RawRequest {
  readonly text: string;
  readonly method: string;
  /** The request is valid HTTP and within the limits, so the gateway's own response must have the format that the client accepts. */
  readonly readable: boolean;
}

/** Requests of browsers, broken programs and attackers. */
export function rawRequests(): fc.Arbitrary<RawRequest> {
  return fc
    .record({
      asked: fc.oneof(
        { weight: 20, arbitrary: fc.record({ method: methods, target: targets() }) },
        // Not "readable": the gateway's parser checks that the hosts agree.
        fc.record({
          method: fc.constant("CONNECT"),
          target: fc
            .constantFrom("gateway:80", "gateway", "127.0.0.1:3000", "/internal/reservations/1")
            .map((text) => ({ text, readable: false })),
        }),
      ),
      version: versions,
      host: hosts,
      headers: fc.array(headers(), { maxLength: 4 }),
      framed: bodies(),
    })
    .map(({ asked: { method, target }, version, host, headers: others, framed }) => {
      const lines = [...host.lines, "connection: close", ...others.map(({ line }) => line)];
      const head = [`${method} ${target.text}${version.text}`, ...lines, ...framed.lines];
      const text = `${head.join("\r\n")}\r\n\r\n`;
      const parts = [target, version, host, framed, ...others];
      return {
        text: text + framed.body,
        method,
        readable:
          parts.every(({ readable }) => readable) &&
          text.length < READABLE_LENGTH &&
          // Both hosts must be the same.
          (!target.text.startsWith("http:") || host.lines[0] === "host: gateway") &&
          // HAProxy rejects a body with GET in HTTP/1.0, because it could be taken for the next request.
          (version.text !== " HTTP/1.0" || framed.lines.length === 0),
      };
    });
}

/** Size of request line and headers, in characters, that the gateway accepts in any case. */
const READABLE_LENGTH = 14_000;

interface Part {
  readonly readable: boolean;
}

const methods = fc.oneof(
  { weight: 4, arbitrary: fc.constant("GET") },
  fc.constantFrom("HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"),
  // Valid but unknown methods.
  fc.constantFrom("get", "FOO", "M-SEARCH", "X".repeat(200)),
);

const versions: fc.Arbitrary<Part & { text: string }> = fc.oneof(
  { weight: 12, arbitrary: fc.constant({ text: " HTTP/1.1", readable: true }) },
  { weight: 2, arbitrary: fc.constant({ text: " HTTP/1.0", readable: true }) },
  fc
    .constantFrom(
      "",
      " HTTP/0.9",
      " HTTP/1.2",
      " HTTP/2.0",
      " http/1.1",
      "  HTTP/1.1",
      " HTTP/1.1 x",
    )
    .map((text) => ({ text, readable: false })),
);

const hosts: fc.Arbitrary<Part & { lines: readonly string[] }> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ lines: ["host: gateway"], readable: true }) },
  fc.constantFrom(["host: gateway:80"], ["host: 127.0.0.1"], ["host: [::1]"]).map((lines) => ({
    lines,
    readable: true,
  })),
  fc
    .constantFrom<readonly string[]>(
      [],
      ["host:"],
      ["host: a", "host: b"],
      ["host: a/internal"],
      ["host: a b"],
    )
    .map((lines) => ({ lines, readable: false })),
);

/** Parts of path segments: routes, internal routes, parent segments, and encoded variants of these. */
const words = [
  ...["api", "inventory", "products", "basket", "internal", "reservations", "1", "healthz"],
  ...[
    "metrics",
    "openapi.json",
    "INTERNAL",
    "%69nternal",
    "%2569nternal",
    "internal;x",
    ";internal",
  ],
  ...[".", "..", "%2e", "%2E%2e", ".%2e", "%252e%252e", "...", "..;", "..;x=1", ";", ";..", ".;."],
  ...["", "%2f", "%252F", "%5c", "%255c", "\\", "..\\", "..%2f", "..%5C", "%3b", "..%3b", "%20"],
  ...["%", "%zz", "%2", "%00", "%0d%0a", "%c3%a9", "%ff", "%c0%ae%c0%ae", "%uff0e", "~", "*", "'"],
];

/** Paths that lead to an internal route if a parser decodes or normalizes them in one particular way. */
function waysInside(): fc.Arbitrary<string> {
  const plain = { up: "..", separator: "/", inside: "internal" };
  const ups = ["..", "%2e%2e", ".%2E", "%252e.", "..;", "..;x=1", ";..", ".;.", "./..", "x/../.."];
  const separators = ["//", "/./", "\\", "%2f", "%5C", "%252f", "/;/"];
  const insides = [
    "internal",
    "%69nternal",
    "%2569nternal",
    "interna%6c",
    "internal;x",
    ";internal",
  ];
  const disguise = fc.oneof(
    fc.constantFrom(...ups).map((up) => ({ ...plain, up })),
    fc.constantFrom(...separators).map((separator) => ({ ...plain, separator })),
    fc.constantFrom(...insides).map((inside) => ({ ...plain, inside })),
  );
  const starts = ["", "/api", "/api/inventory", "/api/inventory/products", "/basket"];
  const rests = ["", "/reservations/1", "/%2", "/%zz", "/%ff", "/..", "?", "/;"];
  return fc
    .tuple(fc.constantFrom(...starts), disguise, fc.constantFrom(...rests))
    .map(([start, { up, separator, inside }, rest]) => {
      const back = (separator + up).repeat(start.split("/").length - 1);
      return start + back + separator + inside + rest;
    });
}

function paths(): fc.Arbitrary<string> {
  return fc.oneof(oddPaths(), waysInside());
}

function oddPaths(): fc.Arbitrary<string> {
  const segment = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...words) },
    fc
      .array(fc.constantFrom(...words), { minLength: 2, maxLength: 3 })
      .map((parts) => parts.join("")),
    fc.string({ unit: visible, maxLength: 12 }),
  );
  return fc
    .tuple(
      fc.constantFrom("", "", "/api/inventory", "/api/inventory/..", "/api", "/internal"),
      fc.array(segment, { maxLength: 6 }),
    )
    .map(([start, segments]) => `${start}/${segments.join("/")}`);
}

/** Characters of a path: no space, no control character, and no start of a query or fragment. */
const visible = fc
  .integer({ min: 0x21, max: 0x7e })
  .map((code) => String.fromCharCode(code))
  .filter((character) => !/[?#]/.test(character));

function targets(): fc.Arbitrary<Part & { text: string }> {
  const origin = (text: string, before = "") => ({
    text: before + text,
    readable: text.startsWith("/"),
  });
  const unreadable = (text: string) => ({ text, readable: false });
  const path = paths();
  const query = fc.oneof(
    { weight: 3, arbitrary: fc.constant("") },
    fc.string({ unit: visible, maxLength: 20 }).map((text) => `?${text}`),
    fc.constantFrom("?/api/inventory/", "?/../internal", "??", "?%"),
    // The gateway forwards URLs of up to 4096 characters, and reads up to about 15,000.
    fc.integer({ min: 4_000, max: 20_000 }).map((length) => `?${"a".repeat(length)}`),
  );
  const origins = fc.tuple(path, query).map(([start, end]) => start + end);
  return fc.oneof(
    { weight: 8, arbitrary: origins.map((text) => origin(text)) },
    { weight: 2, arbitrary: origins.map((text) => origin(text, "http://gateway")) },
    // The same host without a path, or another host than in the header.
    fc
      .tuple(fc.constantFrom("gateway?", "gateway#", "x", "x?", "x#", "a@gateway", ""), origins)
      .map(([authority, text]) => unreadable(`http://${authority}${text}`)),
    fc.constantFrom("*", "gateway", "gateway:80", "https:", "ftp://gateway/", "").map(unreadable),
    fc.tuple(path, path).map(([text, fragment]) => unreadable(`${text}#${fragment}`)),
    path.map((text) => unreadable(text.slice(1))),
    fc
      .tuple(path, fc.constantFrom(" ", "\t", "\x00", "\x01", "\x7f", "\xe9", "\r", "\n"), path)
      .map((parts) => unreadable(parts.join(""))),
  );
}

function headers(): fc.Arbitrary<Part & { line: string }> {
  const value = fc.string({
    unit: fc.oneof(visible, fc.constantFrom(" ", "\t", "\xe9", "\xff")),
    maxLength: 40,
  });
  const name = fc.constantFrom(
    ...["x-request-id", "x-forwarded-for", "x-forwarded-prefix", "x-original-url", "x-rewrite-url"],
    ...["authorization", "cookie", "accept", "accept-encoding", "content-type", "idempotency-key"],
    ...["traceparent", "range", "if-none-match", "forwarded", "via", "x-http-method-override"],
  );
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .tuple(name, value)
        .map(([key, text]) => ({ line: `${key}: ${text}`, readable: true })),
    },
    fc
      .constantFrom(
        ...["x-original-url: /internal/reservations/1", "x-rewrite-url: /internal/reservations/1"],
        ...["x-request-id: decent-request-id-1", "x-request-id: {bad}", "connection: x-request-id"],
        ...["te: trailers", "accept-encoding: gzip;q=0", "expect: 100-continue"],
        ...["range: bytes=0-0,-1", "upgrade: h2c", "max-forwards: 0", "x-empty:"],
      )
      .map((line) => ({ line, readable: true })),
    fc
      .integer({ min: 1, max: 16_000 })
      .map((length) => ({ line: `x-long: ${"a".repeat(length)}`, readable: true })),
    fc
      .constantFrom(
        ...[
          "no colon",
          ": no name",
          "sp ace: x",
          "x-space : x",
          "x-folded: a\r\n b",
          "x-nul: a\x00b",
        ],
        ...["x-cr: a\rb", "x-lf: a\nhost: b", "(x): y", "\xe9: x", "content-length: x"],
        ...["connection: upgrade\r\nupgrade: websocket", "expect: something-else"],
      )
      .map((line) => ({ line, readable: false })),
  );
}

/** A request in the body of another; it must never be parsed as a request of its own (request smuggling). */
const smuggled = "GET /internal/reservations/1 HTTP/1.1\r\nhost: gateway\r\n\r\n";

function bodies(): fc.Arbitrary<Part & { lines: readonly string[]; body: string }> {
  const content = fc.oneof(
    fc.constantFrom("", "{}", '{"a":1}', smuggled, "\x00\xff\r\n\r\n", "0\r\n\r\n"),
    fc.integer({ min: 1, max: 60_000 }).map((length) => "b".repeat(length)),
  );
  const length = (text: string) => `content-length: ${text.length}`;
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
  const chunked = "transfer-encoding: chunked";
  const pieces = fc
    .array(
      content.filter((text) => text !== ""),
      { maxLength: 4 },
    )
    .map((texts) => texts.map(chunk).join(""));
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant({ lines: [], body: "", readable: true }) },
    {
      weight: 3,
      arbitrary: content.map((body) => ({ lines: [length(body)], body, readable: true })),
    },
    {
      weight: 3,
      arbitrary: pieces.map((body) => ({
        lines: [chunked],
        body: `${body}0\r\n\r\n`,
        readable: true,
      })),
    },
    // Trailers and chunk extensions.
    pieces.map((body) => ({
      lines: [chunked, "trailer: x-last"],
      body: `2;a="b"\r\nab\r\n${body}0\r\nx-last: 1\r\n\r\n`,
      readable: true,
    })),
    // Ambiguous framing.
    fc
      .tuple(
        fc.constantFrom<readonly string[]>(
          [chunked, "content-length: 5"],
          ["content-length: 5", chunked],
          ["transfer-encoding: xchunked"],
          ["transfer-encoding: identity"],
          ["transfer-encoding: chunked, identity"],
          ["transfer-encoding: gzip, chunked"],
          ["transfer-encoding : chunked"],
          ["transfer-encoding: \x0bchunked"],
          [chunked, chunked],
          ["content-length: 5", "content-length: 5"],
          ["content-length: 5", "content-length: 6"],
          ["content-length: +5"],
          ["content-length: -1"],
          ["content-length: 5, 5"],
          ["content-length: 99999999999999999999"],
        ),
        fc.constantFrom(`0\r\n\r\n${smuggled}`, `5\r\nabcde\r\n0\r\n\r\n${smuggled}`),
      )
      .map(([lines, body]) => ({ lines, body, readable: false })),
    fc
      .constantFrom("x\r\n", "-1\r\n\r\n", "ffffffffffffffffff\r\na\r\n", "1\r\nabc\r\n0\r\n\r\n")
      .map((body) => ({ lines: [chunked], body, readable: false })),
    // A body without a declared length.
    fc.constant({ lines: [], body: smuggled, readable: true }),
  );
}
