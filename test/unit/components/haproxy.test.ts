import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  GATEWAY_ADMIN_PORT,
  GATEWAY_PORT,
  GATEWAY_PUBLISHED_PORT,
  haproxyConfig,
  Route,
} from "../../../components/gateway/haproxy";

const route = (service: string, ...prefixes: string[]): Route => ({
  service,
  port: 3000,
  prefixes,
  healthPath: "/readyz",
  rateLimits: [],
});

const configOf = (routes: readonly Route[], requests = 0): string =>
  haproxyConfig(routes, { requests }).files["haproxy.cfg"];

// test/integration/gateway tests the configuration in a real HAProxy. These tests cover what can't be seen there.
describe("haproxyConfig", () => {
  const routes = [
    route("storefront", "/"),
    route("orders", "/api/orders"),
    route("reports", "/api/orders/reports"),
  ];
  const config = configOf(routes);

  it("maps each prefix with a slash at its end, except the one of the default backend", () => {
    const { files } = haproxyConfig(routes, { requests: 0 });
    assert.equal(files["routes.map"], "/api/orders/ orders\n/api/orders/reports/ reports\n");
    assert.match(config, /^ {4}default_backend storefront$/m);
    assert.doesNotMatch(configOf([route("a", "/api/a")]), /default_backend/);
  });

  it("returns the same configuration for any order of the services", () => {
    const reversed = haproxyConfig([...routes].reverse(), { requests: 0 });
    assert.deepEqual(reversed, haproxyConfig(routes, { requests: 0 }));
  });

  it("finds instances by the service's name and checks its own health path", () => {
    const own = configOf([{ ...route("a", "/a"), port: 4321, healthPath: "/ok" }]);
    assert.match(own, /server-template a 32 a:4321 check .*resolvers docker init-addr last,none/);
    assert.match(own, /option httpchk GET \/ok\n/);
  });

  it("counts requests per address only if there is a limit", () => {
    const rateLimits = [{ method: "POST", path: "/api/a", requests: 5, seconds: 60 }] as const;
    const limited = { ...route("a", "/api/a"), rateLimits };
    assert.match(configOf([limited], 40), /stick-table .* store http_req_rate\(10s\)/);
    assert.doesNotMatch(configOf([limited]), /stick-table|429|track-sc|limit\./);
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

  it("has a version that changes with the routes and that /version answers", () => {
    const { files, version } = haproxyConfig(routes, { requests: 0 });
    assert.match(files["haproxy.cfg"], new RegExp(`string "${version}" if \\{ path /version \\}`));
    const moved = [route("storefront", "/"), route("orders", "/api/order"), ...routes.slice(2)];
    assert.notEqual(haproxyConfig(moved, { requests: 0 }).version, version);
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
