import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  GATEWAY_ADMIN_PORT,
  GATEWAY_HTTPS_PORT,
  GATEWAY_PORT,
  GATEWAY_PUBLISHED_PORT,
} from "../../../components/gateway/rules/clients";
import {
  ClientLimits,
  haproxyConfig,
  PublicAccess,
  Route,
} from "../../../components/gateway/haproxy";
import BASE_IMAGES from "../../../config/baseImages.json";
import { RateLimit, RouteTimeout } from "../../../services/spec";
import {
  CERTIFICATE_FILE,
  CERTIFICATE_FOLDER,
  Https,
  initialPem,
  ORDERED_FOLDER,
  OrderedCertificate,
  orderedCertificate,
  orderedFiles,
  startScript,
} from "../../../components/gateway/https";
import { HTTP_GET_SCRIPT } from "../../../components/container/health";
import { CommandResult } from "../../support/workspace";
import { eventually } from "../support/eventually";
import { docker, run } from "../../support/run";
import { Answer, send } from "./http";

export interface Gateway {
  /** Name of the container. */
  readonly container: string;
  /** Address of the port for requests from outside. */
  readonly published: string;
  /** Address of the port for requests from the store's own networks. */
  readonly inside: string;
  /** Port for HTTPS from outside. */
  readonly httpsPort: number;
  /** Address of the port for health and metrics. */
  readonly admin: string;
  /** Returns the log. */
  log(): Promise<string>;
  /** Sends a request without the normalization of `fetch`. */
  send(line: string, headers?: readonly string[], options?: { end?: string }): Promise<Answer>;
  /** Sends raw bytes. */
  sendRaw(request: string): Promise<Answer>;
}

interface GatewayOptions extends PublicAccess {
  /** Changes the configuration. */
  readonly edit?: (config: string) => string;
  /** Further routes. Defaults to none. */
  readonly routes?: readonly Route[];
}

/** A Docker network with the services inventory and storefront, which don't protect themselves, and HAProxy in front of them. */
export class TestNetwork {
  private readonly folder = mkdtempSync(join(tmpdir(), "store-gateway-"));
  private readonly dispose_ = () => this.removeAll();

  private constructor(private readonly name: string) {
    process.once("exit", this.dispose_);
  }

  /** @param ipv6 Gives the network IPv6 addresses, too. */
  static async create({ ipv6 = false } = {}): Promise<TestNetwork> {
    const network = new TestNetwork(`store-test-gateway-${randomBytes(4).toString("hex")}`);
    // A random unique local range (RFC 4193), because Docker before version 27 chooses none itself.
    const range = `fd${randomBytes(1).toString("hex")}:${randomBytes(2).toString("hex")}::/64`;
    const addresses = ipv6 ? ["--ipv6", "--subnet", range] : [];
    await docker("network", "create", "--label", network.label, ...addresses, network.name);
    await Promise.all([
      network.startService("inventory", ["--network-alias", OUTLET]),
      network.startService("storefront"),
    ]);
    return network;
  }

  private async startService(name: string, options: readonly string[] = []): Promise<void> {
    await this.start(name, imageOf("node"), "node", ["-e", CARELESS_SERVICE, name], options);
  }

  /** Starts another instance of a service, which isn't ready. Returns an action that makes it ready. */
  async startReplacement(service: string): Promise<() => Promise<unknown>> {
    const name = `${service}-replacement`;
    const script = ["-e", CARELESS_SERVICE, service, "unready"];
    await this.start(name, imageOf("node"), "node", script, ["--network-alias", service]);
    return () => this.exec(name, "touch", "/tmp/ready");
  }

  /**
   * Starts a container with any program. Its name is also its name on the network.
   *
   * @returns the port of this machine for the container's port. 0 if none is given.
   */
  async startProgram(
    name: string,
    container: {
      /** Defaults to the gateway's image. */
      readonly image?: "lego";
      readonly program: string;
      readonly args: readonly string[];
      readonly options: readonly string[];
      readonly port?: number;
    },
  ): Promise<number> {
    const { image = "haproxy", program, args, options, port } = container;
    await this.start(name, imageOf(image), program, args, options);
    if (port === undefined) return 0;
    const address = await docker("port", `${this.name}-${name}`, `${port}/tcp`);
    return Number(address.trim().split(":").at(-1));
  }

  /** Runs a program in a service's container and returns its output. */
  async exec(service: string, ...command: readonly string[]): Promise<string> {
    return docker("exec", `${this.name}-${service}`, ...command);
  }

  async stopService(name: string): Promise<void> {
    await docker("rm", "--force", `${this.name}-${name}`);
  }

  async startGateway(
    { requests = 0, connections = 0 }: Partial<ClientLimits>,
    { inventory = [], storefront = [] }: Readonly<Record<string, readonly RateLimit[]>> = {},
    timeouts: readonly RouteTimeout[] = [],
    { edit = (config: string): string => config, routes = [], ...access }: GatewayOptions = {},
  ): Promise<Gateway> {
    const { files } = haproxyConfig(
      [
        {
          ...ROUTE_DEFAULTS,
          service: "inventory",
          prefixes: ["/api/inventory"],
          rateLimits: inventory,
        },
        {
          ...ROUTE_DEFAULTS,
          service: "storefront",
          prefixes: ["/", "/api/inventory/pages"],
          rateLimits: storefront,
          timeouts,
        },
        ...routes,
      ],
      { requests, connections },
      access,
    );
    const name = [
      "gateway",
      requests,
      connections,
      ...(access.trustedProxies ? ["proxy"] : []),
    ].join("-");
    const ordered = orderedCertificate(access.https);
    const folder = this.write(name, {
      ...files,
      ...(ordered && plainFiles(orderedFiles(ordered))),
      "haproxy.cfg": edit(files["haproxy.cfg"]),
      "start.sh": startScript(access.https),
    });
    this.writeCertificate(name, access.https);
    const ports = [GATEWAY_PORT, GATEWAY_PUBLISHED_PORT, GATEWAY_ADMIN_PORT, GATEWAY_HTTPS_PORT];
    await this.start(
      name,
      imageOf("haproxy"),
      "bash",
      ["/etc/store/start.sh"],
      [
        ...["--volume", `${folder}:/etc/store:ro`, "--tmpfs", "/tmp"],
        ...["--volume", `${this.certificateFolder(name)}:${CERTIFICATE_FOLDER}:ro`],
        ...(ordered ? ["--volume", `${this.orderedFolder}:${ORDERED_FOLDER}:ro`] : []),
        ...(access.https?.names ?? []).flatMap((alias) => ["--network-alias", alias]),
        ...ports.flatMap((port) => ["--publish", `127.0.0.1::${port}`]),
      ],
    );
    const address = async (port: number): Promise<string> =>
      `http://${(await docker("port", `${this.name}-${name}`, `${port}/tcp`)).trim()}`;
    const [inside = "", published = "", admin = "", https = ""] = await Promise.all(
      ports.map(address),
    );
    await eventually(
      async () => (await fetch(`${admin}/version`, { signal: AbortSignal.timeout(2_000) })).ok,
      `${name} isn't ready`,
    );
    return {
      container: `${this.name}-${name}`,
      inside,
      published,
      admin,
      httpsPort: Number(new URL(https).port),
      log: () => docker("logs", `${this.name}-${name}`),
      send: (line, headers = [], { end = "\r\n\r\n" } = {}) =>
        send(
          published,
          [line, "host: gateway", "connection: close", ...headers].join("\r\n") + end,
        ),
      sendRaw: (request) => send(published, request),
    };
  }

  /** Folder of this machine with the ordered certificates of the gateways. */
  get orderedFolder(): string {
    const folder = join(this.folder, "ordered");
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  private certificateFolder(gateway: string): string {
    return join(this.folder, `${gateway}-certificate`);
  }

  private writeCertificate(gateway: string, https: Https | undefined): void {
    mkdirSync(this.certificateFolder(gateway), { recursive: true });
    if (https === undefined) return;
    const pem = initialPem(https);
    assert.ok(typeof pem === "string");
    writeFileSync(join(this.certificateFolder(gateway), CERTIFICATE_FILE), pem);
  }

  /** Replaces the gateway's certificate. It is used after a reload. */
  renewCertificate({ container }: Gateway, https: Https): void {
    this.writeCertificate(container.slice(this.name.length + 1), https);
  }

  /** Makes the gateway use another ordered certificate, as an `up` with other names does. */
  nameCertificate({ container }: Gateway, certificate: OrderedCertificate): void {
    this.write(container.slice(this.name.length + 1), plainFiles(orderedFiles(certificate)));
  }

  /** Reloads the gateway with a changed configuration, as `up` does. Returns the exit code and the output. */
  async reload(gateway: Gateway, healthyServices: readonly string[]): Promise<CommandResult> {
    const file = this.configOf(gateway);
    const config = readFileSync(file, "utf8");
    const version = versionIn(config);
    const changed = version.split("").reverse().join("");
    assert.notEqual(changed, version);
    writeFileSync(file, config.replaceAll(version, changed));
    return this.awaitConfig(gateway, healthyServices);
  }

  /** Waits until the gateway uses its configuration, as `up` does. Returns the exit code and the output. */
  async awaitConfig(gateway: Gateway, healthyServices: readonly string[]): Promise<CommandResult> {
    const version = versionIn(readFileSync(this.configOf(gateway), "utf8"));
    const reload = readFileSync(
      resolve(__dirname, "../../../components/gateway/reload.sh"),
      "utf8",
    );
    const script = `${HTTP_GET_SCRIPT}\n${reload}`;
    const args = ["-c", script, "reload", version, ...healthyServices];
    return run("docker", ["exec", gateway.container, "bash", ...args]);
  }

  private configOf({ container }: Gateway): string {
    return join(this.folder, container.slice(this.name.length + 1), "haproxy.cfg");
  }

  /** Validates a configuration with `haproxy -c`. Fails the test with its output. */
  async check(routes: readonly Route[]): Promise<void> {
    const folder = this.write(
      "check",
      haproxyConfig(routes, { requests: 20, connections: 500 }).files,
    );
    await docker(
      ...["run", "--rm", "--label", this.label, "--volume", `${folder}:/etc/store:ro`],
      ...["--entrypoint", "haproxy", imageOf("haproxy"), "-c", "-f", "/etc/store/haproxy.cfg"],
    );
  }

  /** Writes the files into a folder that any user can read, like the gateway's volume. */
  private write(name: string, files: Readonly<Record<string, string>>): string {
    const folder = join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
    return folder;
  }

  async dispose(): Promise<void> {
    process.off("exit", this.dispose_);
    this.removeAll();
    return Promise.resolve();
  }

  private get label(): string {
    return `dev.store.test.gateway=${this.name}`;
  }

  private async start(
    name: string,
    image: string,
    program: string,
    args: readonly string[],
    options: readonly string[] = [],
  ): Promise<void> {
    await docker(
      ...["run", "--detach", "--name", `${this.name}-${name}`, "--label", this.label],
      ...["--network", this.name, "--network-alias", name, "--entrypoint", program],
      ...[...options, image, ...args],
    );
  }

  /** Removes everything synchronously, for an interrupted run. */
  private removeAll(): void {
    const list = spawnSync("docker", ["ps", "-aq", "--filter", `label=${this.label}`], {
      encoding: "utf8",
    });
    const ids = list.stdout.split("\n").filter((id) => id !== "");
    if (ids.length > 0) spawnSync("docker", ["rm", "--force", "--volumes", ...ids]);
    spawnSync("docker", ["network", "rm", this.name]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Makes the gateway count requests for ten minutes in place of ten seconds, so that a busy machine reaches the limits, too. */
export function countForMinutes(config: string): string {
  return config.replaceAll("http_req_rate(10s)", "http_req_rate(10m)");
}

function plainFiles(files: ReturnType<typeof orderedFiles>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([name, content]) => {
      assert.ok(typeof content === "string");
      return [name, content];
    }),
  );
}

function versionIn(config: string): string {
  const [, version = ""] = /string "([0-9a-f]{16})" if \{ path \/version/.exec(config) ?? [];
  assert.ok(version);
  return version;
}

/** A service that echoes the request, and normalizes its path as far as possible. */
const CARELESS_SERVICE = readFileSync(join(__dirname, "carelessService.cjs"), "utf8");

/** Another name of the service inventory, for a second front end. */
export const OUTLET = "outlet";

/** Name of a service, its health and no limits. */
export const ROUTE_DEFAULTS = { port: 3000, healthPath: "/readyz", rateLimits: [], timeouts: [] };

/** Returns the base image that the stacks use. */
function imageOf(kind: "node" | "haproxy" | "lego"): string {
  // A fallback image has no digest.
  return BASE_IMAGES[kind].replace(/@.*$/, "");
}
