import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  GATEWAY_ADMIN_PORT,
  GATEWAY_PORT,
  GATEWAY_PUBLISHED_PORT,
} from "../../../components/gateway/rules/clients";
import { haproxyConfig, MEMORY_MIB, Route } from "../../../components/gateway/haproxy";

const route = (service: string, ...prefixes: string[]): Route => ({
  service,
  port: 3000,
  prefixes,
  healthPath: "/readyz",
  rateLimits: [],
  timeouts: [],
});

const LIMITS = { requests: 0, connections: 0 };

const below = (path: string): string =>
  `{ path,url_dec -m str ${path} } or { path,url_dec -m beg ${path}/ }`;

const configOf = (routes: readonly Route[], requests = 0): string =>
  haproxyConfig(routes, { ...LIMITS, requests }).files["haproxy.cfg"];

// test/integration/gateway tests the configuration in a real HAProxy. These tests cover what can't be seen there.
describe("haproxyConfig", () => {
  const routes = [
    route("storefront", "/"),
    route("orders", "/api/orders"),
    route("reports", "/api/orders/reports"),
  ];
  const config = configOf(routes);

  it("maps each prefix with a slash at its end, except the one of the default backend", () => {
    const { files } = haproxyConfig(routes, LIMITS);
    assert.equal(files["routes.map"], "/api/orders/ orders\n/api/orders/reports/ reports\n");
    assert.match(config, /^ {4}default_backend storefront$/m);
    assert.doesNotMatch(configOf([route("a", "/api/a")]), /default_backend/);
  });

  it("returns the same configuration for any order of the services", () => {
    const reversed = haproxyConfig([...routes].reverse(), LIMITS);
    assert.deepEqual(reversed, haproxyConfig(routes, LIMITS));
  });

  it("finds instances by the service's name and checks its own health path", () => {
    const own = configOf([{ ...route("a", "/a"), port: 4321, healthPath: "/ok" }]);
    assert.match(
      own,
      /server-template a 32 a:4321 check .*resolvers docker resolve-prefer ipv4 init-addr last,none/,
    );
    assert.match(own, /option httpchk GET \/ok\n/);
  });

  it("counts requests per address only if there is a limit", () => {
    const rateLimits = [{ method: "POST", path: "/api/a", requests: 5, seconds: 60 }] as const;
    const limited = { ...route("a", "/api/a"), rateLimits };
    assert.match(configOf([limited], 40), /stick-table .* store http_req_rate\(10s\)/);
    assert.doesNotMatch(configOf([limited]), /stick-table|status 429|track-sc|limit\./);
  });

  it("counts each rate limit of a spec in a table of its own", () => {
    const rateLimits = [
      { method: "POST", path: "/api/a", requests: 5, seconds: 60 },
      { method: "PUT", path: "/api/a/x", requests: 7, seconds: 30 },
    ] as const;
    const limited = configOf([{ ...route("a", "/api/a"), rateLimits }], 40);
    assert.match(limited, /^backend a\.limit\.0\n {4}stick-table .*http_req_rate\(60s\)$/m);
    assert.match(limited, /^backend a\.limit\.1\n {4}stick-table .*http_req_rate\(30s\)$/m);
    assert.match(limited, /track-sc1 .* table a\.limit\.1 if \{ method PUT \}/);
  });

  it("counts connections per address before it reads anything, unless there is no limit", () => {
    const { files } = haproxyConfig(routes, { requests: 0, connections: 70 });
    assert.match(
      files["haproxy.cfg"],
      /tcp-request connection reject if \{ dst_port 8080 \} \{ sc2_conn_cur gt 70 \}/,
    );
    assert.doesNotMatch(config, /conn_cur/);
  });

  it("keeps connections for health checks and metrics free, and has memory for all of them", () => {
    const [, total = "", shared = ""] =
      /^ {4}maxconn (\d+)$.*^frontend public$.*?^ {4}maxconn (\d+)$/ms.exec(config) ?? [];
    assert.ok(Number(total) - Number(shared) >= 64, `${shared} of ${total}`);
    const buffer = Number(/tune\.bufsize (\d+)/.exec(config)?.[1]);
    // Two buffers and about 4 KiB for each connection; 32 MiB for the rest of the process.
    const needed = Number(total) * (2 * buffer + 4096) + 32 * 1024 ** 2;
    assert.ok(MEMORY_MIB * 1024 ** 2 >= needed, `${Math.ceil(needed / 1024 ** 2)} MiB are needed`);
  });

  it("sets the timeouts of a service's paths, that of the longest path last", () => {
    const timeouts = [
      { path: "/api/a/events", seconds: 3600 },
      { path: "/api/a", seconds: 60 },
    ];
    const own = configOf([{ ...route("a", "/api/a"), timeouts }]);
    assert.deepEqual(
      [...own.matchAll(/set-timeout (.*)/g)].map(([, rule]) => rule),
      [
        ...["server", "tunnel"].map((kind) => `${kind} 60s if ${below("/api/a")}`),
        ...["server", "tunnel"].map((kind) => `${kind} 3600s if ${below("/api/a/events")}`),
      ],
    );
    assert.match(config, /^ {4}timeout tunnel 1h$/m);
  });

  it("ends the process before a reload only after the longest timeout", () => {
    const of = (...timeouts: { path: string; seconds: number }[]) =>
      /hard-stop-after (\d+)s/.exec(configOf([{ ...route("a", "/api/a"), timeouts }]))?.[1];
    assert.equal(of(), "300");
    assert.equal(of({ path: "/api/a", seconds: 60 }, { path: "/api/a/x", seconds: 900 }), "900");
  });

  it("prefers IPv4 for the services, and listens on IPv6 only if the kernel has it", () => {
    assert.match(config, /server-template .* resolve-prefer ipv4 /);
    for (const port of [GATEWAY_PORT, GATEWAY_PUBLISHED_PORT, GATEWAY_ADMIN_PORT])
      assert.match(
        config,
        new RegExp(`\\.if defined\\(HAS_IPV6\\)(\n {4}bind :::.*)*\n {4}bind :::${port} v6only\n`),
      );
  });

  it("has a version that changes with the routes and that /version answers", () => {
    const { files, version } = haproxyConfig(routes, LIMITS);
    assert.match(files["haproxy.cfg"], new RegExp(`string "${version}" if \\{ path /version \\}`));
    const moved = [route("storefront", "/"), route("orders", "/api/order"), ...routes.slice(2)];
    assert.notEqual(haproxyConfig(moved, LIMITS).version, version);
  });

  it("has one backend for a service with several prefixes", () => {
    const own = configOf([route("a", "/api/a", "/assets")]);
    assert.equal(own.match(/^backend a$/gm)?.length, 1);
  });

  it("replaces every placeholder", () => {
    assert.doesNotMatch(configOf(routes, 40), /\{\{/);
  });

  it("uses the ports that the program knows, as reload.sh does", () => {
    for (const port of [GATEWAY_PORT, GATEWAY_PUBLISHED_PORT, GATEWAY_ADMIN_PORT])
      assert.match(config, new RegExp(`^ {4}bind :${port}$`, "m"));
    const commandPort = /stats socket ipv4@127\.0\.0\.1:(\d+) /.exec(config)?.[1];
    const folder = join(__dirname, "../../../components/gateway");
    const reload = readFileSync(join(folder, "reload.sh"), "utf8");
    assert.ok(commandPort && reload.includes(`/dev/tcp/127.0.0.1/${commandPort}\n`));
    assert.ok(reload.includes(`http_get ${GATEWAY_ADMIN_PORT} /version`));
  });
});
