import { once } from "node:events";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { text } from "node:stream/consumers";
import type { Https } from "../../../components/gateway/https";
import { checkCertificate } from "../../../config/certificate";

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
    stream.end(body);
    const [received] = (await once(stream, "response")) as [Record<string, unknown>];
    return {
      status: Number(received[":status"]),
      headers: received as Record<string, string | undefined>,
      body: await text(stream),
    };
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
