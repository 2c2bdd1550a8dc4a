import { once } from "node:events";
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type ClientHttp2Stream,
} from "node:http2";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { Https } from "../../../components/gateway/https";
import { checkCertificate } from "../../../config/https/certificate";
import type { Answer } from "./http";
import type { RawRequest } from "./rawRequests";

/** Returns the gateway's arguments for a certificate, as the configuration passes them. */
export function httpsOf(pem: string, names: readonly string[]): Https {
  const { certificate, mistakes } = checkCertificate(pem, names);
  if (certificate === undefined) throw new Error(mistakes.join("\n"));
  return { names, port: 443, hstsSeconds: 300, certificate };
}

export interface Http2Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** One HTTP/2 connection to the gateway. */
export class Http2Client {
  private constructor(private readonly session: ClientHttp2Session) {}

  /** @throws Error if the certificate isn't trusted, or the gateway doesn't speak HTTP/2. */
  static async connect(port: number, ca: string, servername: string): Promise<Http2Client> {
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca, servername });
    session.on("error", () => undefined);
    // One for each stream.
    session.setMaxListeners(0);
    await once(session, "connect");
    return new Http2Client(session);
  }

  async request(
    path: string,
    { method = "GET", body, ...headers }: Readonly<Record<string, string>> = {},
  ): Promise<Http2Answer> {
    const stream = this.session.request({
      ":path": path,
      ":method": method,
      ":authority": "shop.example.org",
      ...headers,
    });
    stream.on("error", () => undefined).end(body);
    const answer = await answerOf(this.session, stream);
    if (answer === undefined) throw new Error(`the gateway refused ${method} ${path}`);
    return answer;
  }

  close(): void {
    this.session.destroy();
  }
}

/** Opens a TLS connection. @throws Error if the handshake fails. */
export async function handshake(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ host: "127.0.0.1", port, ...options });
  await once(socket, "secureConnect");
  return socket;
}

/** Headers of a connection, which HTTP/2 doesn't have. */
const CONNECTION_HEADERS =
  /^(host|connection|keep-alive|proxy-connection|transfer-encoding|upgrade|te)$/;

type Http1Answer = Pick<Answer, "status" | "head" | "body">;

/**
 * Sends a request for HTTP/1.1 on a new HTTP/2 connection.
 *
 * @returns undefined if the gateway refuses the request without an answer, or if it can't be expressed in HTTP/2.
 */
export async function sendByHttp2(
  port: number,
  request: RawRequest,
): Promise<Http1Answer | undefined> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on("error", () => undefined);
  try {
    const stream = session.request(http2Headers(request), { endStream: false });
    const body = request.text.slice(request.text.indexOf("\r\n\r\n") + 4);
    stream.on("error", () => undefined).end(Buffer.from(body, "latin1"));
    const answer = await answerOf(session, stream);
    if (answer === undefined) return undefined;
    const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`);
    return { status: answer.status, head: lines.join("\r\n"), body: answer.body };
  } catch {
    // Node refuses to send such headers.
    return undefined;
  } finally {
    session.destroy();
  }
}

function http2Headers({ text: request, method }: RawRequest): Record<string, string> {
  const [line = "", ...lines] = request.slice(0, request.indexOf("\r\n\r\n")).split("\r\n");
  const fields = lines.map((one): [string, string] => {
    const [name = "", ...value] = one.split(":");
    return [name.toLowerCase(), value.join(":").trim()];
  });
  const host = fields.find(([name]) => name === "host")?.[1];
  return {
    ...Object.fromEntries(fields.filter(([name]) => !CONNECTION_HEADERS.test(name))),
    ...{ ":method": method, ":path": line.slice(method.length + 1).replace(/ [^ ]*$/, "") },
    ...(host !== undefined && { ":authority": host }),
  };
}

/**
 * Waits until the gateway has closed the stream or the connection, which needn't be an error of the stream.
 *
 * @returns undefined if there was no answer.
 */
function answerOf(
  session: ClientHttp2Session,
  stream: ClientHttp2Stream,
): Promise<Http2Answer | undefined> {
  return new Promise((done) => {
    let headers: Record<string, unknown> | undefined;
    let body = "";
    stream.setEncoding("utf8");
    stream.on("response", (received) => (headers = received));
    stream.on("data", (data: string) => (body += data));
    const close = (): void => {
      session.off("close", close);
      const texts = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]);
      done(
        headers && {
          status: Number(headers[":status"]),
          headers: Object.fromEntries(texts) as Record<string, string>,
          body,
        },
      );
    };
    stream.once("close", close);
    session.once("close", close);
  });
}
