import assert from "node:assert/strict";
import { haproxyConfig, Route } from "../../../components/gateway/haproxy";

const route = (service: string, ...prefixes: string[]): Route => ({
  service,
  port: 3000,
  prefixes,
  healthPath: "/readyz",
  rateLimits: [],
});

const configOf = (routes: readonly Route[], requests = 0): string =>
  haproxyConfig(routes, { requests }).text;

describe("gateway configuration", () => {
  const routes = [
    route("storefront", "/"),
    route("orders", "/api/orders"),
    route("reports", "/api/orders/reports"),
  ];
  const config = configOf(routes);

  it("asks the longest prefix first, and never takes a longer name for a prefix", () => {
    const reports = config.indexOf("use_backend reports if { path /api/orders/reports } or");
    const orders = config.indexOf(
      "use_backend orders if { path /api/orders } or { path_beg /api/orders/ }",
    );
    assert.ok(reports > 0 && orders > reports);
    assert.match(config, /default_backend storefront/);
  });

  it("is the same in whichever order the services come", () => {
    assert.equal(configOf([...routes].reverse()), config);
  });

  it("finds each service by its name and port, and asks for its health", () => {
    const own = configOf([{ ...route("a", "/a"), port: 4321, healthPath: "/ok" }]);
    assert.match(own, /server-template a 32 a:4321 check .*resolvers docker init-addr last,none/);
    assert.match(own, /option httpchk GET \/ok\n/);
  });

  it("answers 404 by itself where no service has the root", () => {
    const own = configOf([route("a", "/api/a")]);
    assert.doesNotMatch(own, /default_backend/);
    assert.match(own, /acl routed path \/api\/a\n {4}acl routed path_beg \/api\/a\/\n/);
    assert.match(own, /return status 404 .* if !routed\n/);
  });

  it("limits what an address may ask, from outside only, and has no table where there is no limit", () => {
    const limited = configOf(routes, 40);
    assert.match(limited, /stick-table .* store http_req_rate\(10s\)/);
    assert.match(limited, /track-sc0 src,ipmask\(32,64\) if \{ dst_port 8080 \}/);
    assert.match(
      limited,
      /return status 429 .* if \{ dst_port 8080 \} \{ sc0_http_req_rate gt 40 \}/,
    );
    assert.doesNotMatch(config, /stick-table|429|track-sc/);
  });

  it("counts what a service's spec limits in a table of its own, and nothing where there is no limit", () => {
    const rateLimits = [
      { method: "POST", path: "/api/a", requests: 5, seconds: 60 },
      { method: "PUT", path: "/api/a/x", requests: 7, seconds: 30 },
    ] as const;
    const own = { ...route("a", "/api/a"), rateLimits };
    const limited = configOf([own], 40);
    assert.match(
      limited,
      /track-sc1 src,ipmask\(32,64\) table a\.limit\.1 if \{ method PUT \} \{ path,url_dec -m str \/api\/a\/x \} \{ dst_port 8080 \}/,
    );
    assert.match(
      limited,
      /return status 429 .*retry-after "30" .* if .*\{ sc1_http_req_rate gt 7 \}/,
    );
    assert.match(limited, /^backend a\.limit\.0\n {4}stick-table .*http_req_rate\(60s\)$/m);
    assert.doesNotMatch(configOf([own]), /stick-table|429|track-sc|limit/);
  });

  it("lists the services that have an API of their own name", () => {
    assert.match(
      config,
      /string '\{"services":\[\{"name":"orders","openapi":"\/api\/orders\/openapi\.json"\}\]\}'/,
    );
  });

  it("looks at a path before it routes it", () => {
    const routed = config.indexOf("use_backend");
    for (const rule of ["path -i -m sub", "path,url_dec -m beg /internal/", "set-uri %[pathq]"]) {
      const at = config.indexOf(rule);
      assert.ok(at > 0 && at < routed, rule);
    }
  });

  it("has a version that changes with it, and that it gives away", () => {
    const { text, version } = haproxyConfig(routes, { requests: 0 });
    assert.match(text, new RegExp(`string "${version}" if \\{ path /version \\}`));
    assert.notEqual(haproxyConfig(routes.slice(1), { requests: 0 }).version, version);
  });

  it("has no section twice for a service with several prefixes", () => {
    const own = configOf([route("a", "/api/a", "/assets")]);
    assert.equal(own.match(/^backend a$/gm)?.length, 1);
    assert.equal(own.match(/use_backend a /g)?.length, 2);
  });
});
