import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A received span. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly error: boolean;
  /** The name and version of the service. */
  readonly service: readonly unknown[];
}

/** A test double of an OpenTelemetry collector that accepts OTLP/HTTP in JSON. */
export class TestCollector {
  readonly spans: Span[] = [];
  /** The bodies of all requests. */
  received = "";

  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  static async start(): Promise<TestCollector> {
    const collector: TestCollector = new TestCollector(
      createServer((request, response) => {
        let body = "";
        request.setEncoding("utf8");
        request.on("data", (data: string) => (body += data));
        request.once("end", () => {
          collector.take(request.url ?? "", body);
          response.writeHead(200, { "content-type": "application/json" }).end("{}");
        });
      }),
    );
    collector.server.listen(0, "127.0.0.1");
    await once(collector.server, "listening");
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private take(path: string, body: string): void {
    assert.equal(path, "/v1/traces");
    this.received += body;
    for (const { resource, scopeSpans } of (JSON.parse(body) as Otlp).resourceSpans) {
      const about = valuesOf(resource.attributes);
      for (const { attributes, status, ...span } of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({
          ...span,
          attributes: valuesOf(attributes),
          error: status?.code === 2,
          service: [about["service.name"], about["service.version"]],
        });
      }
    }
  }
}

interface Otlp {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<Span, "attributes" | "error" | "service"> & {
        readonly attributes: readonly Attribute[];
        readonly status?: { readonly code?: number };
      })[];
    }[];
  }[];
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number | string };
}

function valuesOf(attributes: readonly Attribute[]): Record<string, string | number> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]),
  );
}
