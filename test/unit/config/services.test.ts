import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSpecs, problemsOf } from "../../../services";
import { nodeService } from "../../../services/nodeService";
import { ServiceSpec } from "../../../services/spec";

const good: ServiceSpec = { port: 3000 };

describe("loadSpecs", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "specs-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Specs aren't type-checked when they are loaded: a spec can be any object. */
  const problems = (specs: Record<string, object>): string => {
    for (const name of Object.keys(specs)) {
      mkdirSync(join(folder, name), { recursive: true });
      writeFileSync(join(folder, name, "Dockerfile"), "");
    }
    return problemsOf(new Map(Object.entries(specs)) as Map<string, ServiceSpec>, folder).join(
      "\n",
    );
  };

  it("loads every folder with a service.ts, and no other", () => {
    mkdirSync(join(folder, "a"));
    writeFileSync(join(folder, "a/service.ts"), `export default ${JSON.stringify(good)};`);
    writeFileSync(join(folder, "a/Dockerfile"), "");
    mkdirSync(join(folder, "notes"));
    assert.deepEqual([...loadSpecs(folder)], [["a", good]]);
  });

  it("accepts the specs of this repository", () => {
    assert.deepEqual(
      [...loadSpecs().keys()],
      ["billing", "inventory", "orders", "shipping", "storefront"],
    );
  });

  it("merges a Node service's own fields with the kit's defaults", () => {
    const spec = nodeService({ routes: ["/api/a"], port: 4000, health: { withinSeconds: 12 } });
    assert.equal(problems({ a: spec }), "");
    assert.equal(spec.port, 4000);
    assert.deepEqual(spec.image, { base: "packages/kit" });
    assert.deepEqual(spec.health, { withinSeconds: 12 });
    assert.deepEqual(spec.live?.mounts, { src: "/app/service/src" });
  });

  it("names the file that has no spec", () => {
    mkdirSync(join(folder, "a"));
    writeFileSync(join(folder, "a/service.ts"), "export const spec = 1;");
    assert.throws(() => loadSpecs(folder), /services\/a\/service\.ts has no default export/);
  });

  it("accepts a second front end for other hosts, and rejects hosts that another service has or that have no routes", () => {
    const front = { ...good, routes: ["/"] };
    const outlet = { ...front, hosts: ["outlet.example.org", "*.example.net"] };
    assert.equal(problems({ a: front, b: outlet, c: { ...front, hosts: ["c.example.org"] } }), "");
    for (const [specs, expected] of [
      [
        { a: outlet, b: { ...front, hosts: ["*.example.net"] } },
        /b\/.*"\/" is already a route of a/,
      ],
      [
        { a: { ...good, hosts: ["a.example"] } },
        /^\S+ hosts: the service has no routes\. Add them/,
      ],
      [
        { a: { ...outlet, routes: ["/api/a"] } },
        /^\S+ hosts: "\/api\/a" is for all hosts, like all routes under \/api\. Remove hosts\.$/,
      ],
      [{ a: { ...front, hosts: ["*"] } }, /^\S+ hosts\.0: "\*" should be a name such as "outlet/],
      [{ a: { ...front, hosts: ["A.example"] } }, /should be a name such as "outlet/],
      [{ a: { ...front, hosts: ["a.*.example"] } }, /should be a name such as "outlet/],
      [{ a: { ...front, hosts: ["https://a.example"] } }, /should be a name such as "outlet/],
    ] as const)
      assert.match(problems(specs), expected);
  });

  it("accepts a valid spec", () => assert.equal(problems({ a: good }), ""));

  const limit = { method: "POST", path: "/api/a/x", requests: 5, seconds: 60 } as const;
  const withLimits = (...rateLimits: readonly object[]): Record<string, object> => ({
    a: { ...good, routes: ["/api/a"], rateLimits },
  });
  const withTimeouts = (...timeouts: readonly object[]): Record<string, object> => ({
    a: { ...good, routes: ["/api/a"], timeouts },
  });
  const rejected: readonly [what: string, specs: Record<string, object>, message: RegExp][] = [
    ["a reserved name", { gateway: good }, /^services\/gateway\/service\.ts: "gateway" can't be/],
    [
      "the name of the certificates' container",
      { certificates: good },
      /^services\/certificates\/service\.ts: "certificates" can't be/,
    ],
    ["a name that isn't a DNS name", { A_b: good }, /can't be a service's name/],
    ["a privileged port", { a: { ...good, port: 80 } }, /port: 80 should be/],
    ["an unknown field", { a: { ...good, prot: 80 } }, /a\/service\.ts: .*"prot"/],
    [
      "an unknown secret",
      { a: { ...good, secrets: ["STRIPE_KEY"] } },
      /^services\/a\/service\.ts: secrets\.0: "STRIPE_KEY" should be one of STAFF_TOKENS, STAFF_TOKEN\./,
    ],
    [
      "a route with a trailing slash",
      { a: { ...good, routes: ["/api/a/"] } },
      /routes\.0: "\/api\/a\/" should be a path/,
    ],
    [
      "a route of another service",
      { a: { ...good, routes: ["/x"] }, b: { ...good, routes: ["/x"] } },
      /^services\/b\/service\.ts: routes: "\/x" is already a route of a\.$/,
    ],
    [
      "a dependency without a folder",
      { a: { ...good, dependsOn: ["b"] } },
      /dependsOn: services\/ has no folder "b"/,
    ],
    ["a dependency on itself", { a: { ...good, dependsOn: ["a"] } }, /dependsOn: .* itself/],
    [
      "a dependency by the field's earlier name",
      { a: { ...good, needs: ["a"] } },
      /needs: .* itself/,
    ],
    [
      "both names of the dependencies",
      { a: { ...good, needs: [], dependsOn: [] } },
      /needs: .*remove one/,
    ],
    [
      "a dependency of an edge service",
      { a: good, b: { ...good, network: "edge", dependsOn: ["a"] } },
      /reaches only the gateway/,
    ],
    ["a method in lower case", withLimits({ ...limit, method: "post" }), /\.method: "post" should/],
    [
      "a rate limit outside of the routes",
      withLimits({ ...limit, path: "/api/ab" }),
      /"\/api\/ab" is under none/,
    ],
    [
      "a rate limit with a parameter",
      withLimits({ ...limit, path: "/api/a/:id" }),
      /rateLimits\.0\.path: "\/api\/a\/:id" should/,
    ],
    ["a rate limit with a trailing slash", withLimits({ ...limit, path: "/api/a/" }), /\.path: "/],
    ["a limit of 0 requests", withLimits({ ...limit, requests: 0 }), /\.requests: 0 should/],
    ["a fractional limit", withLimits({ ...limit, requests: 1.5 }), /\.requests: 1\.5 should/],
    ["a period over an hour", withLimits({ ...limit, seconds: 3601 }), /\.seconds: 3601 should/],
    ["a rate limit twice", withLimits(limit, limit), /rateLimits: POST \/api\/a\/x is there twice/],
    [
      "a timeout outside of the routes",
      withTimeouts({ path: "/api/ab", seconds: 60 }),
      /^services\/a\/service\.ts: timeouts: "\/api\/ab" is under none of the service's routes\.$/,
    ],
    [
      "a timeout of more than a day",
      withTimeouts({ path: "/api/a/x", seconds: 86_401 }),
      /timeouts\.0\.seconds: 86401 should be a whole number from 1 to 86400/,
    ],
    [
      "two timeouts of a path",
      withTimeouts({ path: "/api/a", seconds: 60 }, { path: "/api/a", seconds: 90 }),
      /timeouts: \/api\/a is there twice/,
    ],
    [
      "an empty health command",
      { a: { ...good, health: { command: [] } } },
      /health\.command: \[\]/,
    ],
    [
      "a missing Dockerfile",
      { a: { ...good, image: { dockerfile: "Other" } } },
      /there is no Other beside it/,
    ],
  ];
  for (const [what, specs, message] of rejected) {
    it(`rejects ${what}`, () => assert.match(problems(specs), message));
  }

  it("accepts limits for two methods of a path", () => {
    assert.equal(problems(withLimits(limit, { ...limit, method: "PUT" })), "");
  });

  it("reports all mistakes of all specs at once, each with its file", () => {
    const found = problems({
      a: { ...good, port: 1, dependsOn: ["x"], routes: ["/a/"] },
      b: { ...good, replicas: "two" },
    });
    assert.deepEqual(
      found.split("\n").map((line) => line.split(": ", 2).join(": ")),
      [
        "services/a/service.ts: port",
        "services/a/service.ts: routes.0",
        "services/a/service.ts: dependsOn",
        "services/b/service.ts: replicas",
      ],
    );
  });
});
