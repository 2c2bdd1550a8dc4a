import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSpecs, problemsOf } from "../../../services";
import { nodeService } from "../../../services/nodeService";
import { ServiceSpec } from "../../../services/spec";

const good: ServiceSpec = { port: 3000 };

describe("specs of the services", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "specs-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const problems = (specs: Record<string, ServiceSpec>): string => {
    for (const name of Object.keys(specs)) {
      mkdirSync(join(folder, name), { recursive: true });
      writeFileSync(join(folder, name, "Dockerfile"), "");
    }
    return problemsOf(new Map(Object.entries(specs)), folder).join("\n");
  };

  it("finds every folder with a service.ts, and no other", () => {
    mkdirSync(join(folder, "a"));
    writeFileSync(join(folder, "a/service.ts"), `export default ${JSON.stringify(good)};`);
    writeFileSync(join(folder, "a/Dockerfile"), "");
    mkdirSync(join(folder, "notes"));
    assert.deepEqual([...loadSpecs(folder)], [["a", good]]);
  });

  it("are all in order in this repository", () => {
    assert.deepEqual(
      [...loadSpecs().keys()],
      ["billing", "inventory", "orders", "shipping", "storefront"],
    );
  });

  it("of Node services say only what is their own", () => {
    const spec = nodeService({ routes: ["/api/a"], port: 4000, health: { withinSeconds: 12 } });
    assert.equal(problems({ a: spec }), "");
    assert.equal(spec.port, 4000);
    assert.deepEqual(spec.image, { base: "packages/kit" });
    assert.deepEqual(spec.health, { withinSeconds: 12 });
    assert.deepEqual(spec.live?.mounts, { src: "/app/service/src" });
  });

  it("says which file has no spec", () => {
    mkdirSync(join(folder, "a"));
    writeFileSync(join(folder, "a/service.ts"), "export const spec = 1;");
    assert.throws(() => loadSpecs(folder), /services\/a\/service\.ts has no default export/);
  });

  it("says what is wrong with one, file and field", () => {
    assert.equal(problems({ a: good }), "");
    assert.match(
      problems({ gateway: good }),
      /services\/gateway\/service\.ts: "gateway" can't be a service's name/,
    );
    assert.match(problems({ A_b: good }), /can't be a service's name/);
    assert.match(
      problems({ a: { ...good, port: 80 } }),
      /port is 80; it should be a whole number from 1024/,
    );
    assert.match(
      // @ts-expect-error -- transpiled only, a spec can say anything
      problems({ a: { ...good, secrets: ["STRIPE_KEY"] } }),
      /services\/a\/service\.ts: secrets has "STRIPE_KEY"; a stack has STAFF_TOKEN\./,
    );
    assert.match(
      problems({ a: { ...good, routes: ["/api/a/"] } }),
      /routes has "\/api\/a\/"; a prefix looks like/,
    );
    assert.match(
      problems({ a: { ...good, routes: ["/x"] }, b: { ...good, routes: ["/x"] } }),
      /b\/service\.ts: routes has "\/x", which is a's already/,
    );
    assert.match(
      problems({ a: { ...good, needs: ["b"] } }),
      /needs has "b", for which there is no folder/,
    );
    assert.match(problems({ a: { ...good, needs: ["a"] } }), /needs has the service itself/);
    assert.match(
      problems({ a: good, b: { ...good, network: "edge", needs: ["a"] } }),
      /reaches only the gateway/,
    );
    const limit = { method: "POST", path: "/api/a/x", requests: 5, seconds: 60 } as const;
    const limited = (...rateLimits: readonly object[]): string =>
      // @ts-expect-error -- transpiled only, a spec can say anything
      problems({ a: { ...good, routes: ["/api/a"], rateLimits } });
    assert.equal(limited(limit, { ...limit, method: "PUT" }), "");
    for (const [wrong, words] of [
      [{ method: "post" }, /has the method "post"; it should be one of GET, POST/],
      [{ path: "/api/ab" }, /has "\/api\/ab", which is under none of its routes/],
      [{ path: "/api/a/:id" }, /has the path "\/api\/a\/:id"; it looks like/],
      [{ path: "/api/a/" }, /has the path "\/api\/a\/"/],
      [{ requests: 0 }, /has 0 requests; it should be a whole number from 1/],
      [{ requests: 1.5 }, /has 1\.5 requests/],
      [{ seconds: 3601 }, /has 3601 seconds; it should be a whole number from 1 to 3600/],
    ] as const)
      assert.match(limited({ ...limit, ...wrong }), words);
    assert.match(limited(limit, limit), /a\/service\.ts: rateLimits has POST \/api\/a\/x twice/);
    assert.match(problems({ a: { ...good, health: { command: [] } } }), /health\.command is empty/);
    assert.match(
      problems({ a: { ...good, image: { dockerfile: "Other" } } }),
      /there is no Other beside it/,
    );
  });
});
