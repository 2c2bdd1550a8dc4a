import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { readConfig, StoreConfig } from "../../../config/config";
import { withDependencies } from "../../../services";
import { ServiceSpec } from "../../../services/spec";
import { withEnvironment } from "../environment";
import { resetConfig, setConfig } from "./stackConfig";

const spec = (over: Partial<ServiceSpec> = {}): ServiceSpec => ({
  port: 3000,
  health: { command: ["true"] },
  ...over,
});
const specs = new Map([
  ["billing", spec()],
  ["inventory", spec()],
  ["orders", spec({ dependsOn: ["inventory", "billing"] })],
  ["returns", spec({ needs: ["orders"] })],
]);

/** Reads a configuration in which some keys differ from their defaults. */
function read(
  keys: Record<string, unknown> = {},
  encrypted: readonly string[] = ["store:secrets"],
): StoreConfig {
  setConfig({ dockerHost: "unix:///test.sock", ...keys }, encrypted);
  return readConfig(specs);
}

describe("readConfig", () => {
  afterEach(resetConfig);

  it("enables all services if store:services is empty", () => {
    assert.deepEqual(read().enabledServices, ["billing", "inventory", "orders", "returns"]);
  });

  it("enables the dependencies of a service, and theirs", () => {
    assert.deepEqual(read({ services: ["returns"] }).enabledServices, [
      "billing",
      "inventory",
      "orders",
      "returns",
    ]);
    assert.deepEqual(read({ services: ["orders"] }).enabledServices, [
      "billing",
      "inventory",
      "orders",
    ]);
  });

  it("leaves out dependencies if store:servicesOnly is true", () => {
    assert.deepEqual(read({ services: ["orders"], servicesOnly: true }).enabledServices, [
      "orders",
    ]);
  });

  it("handles services that depend on each other", () => {
    const circle = new Map([
      ["a", spec({ dependsOn: ["b"] })],
      ["b", spec({ dependsOn: ["a"] })],
    ]);
    assert.deepEqual(withDependencies(["a"], circle), ["a", "b"]);
  });

  const refused: [string, Record<string, unknown>, RegExp][] = [
    [
      "an unknown service",
      { services: ["inventori"] },
      /store:services: there is no service "inventori"\. There are: billing, inv/,
    ],
    ["a text in place of the list of services", { services: "orders" }, /store:services:/],
    [
      "store:servicesOnly without services",
      { servicesOnly: true },
      /store:servicesOnly: is true, but store:services names none/,
    ],
    ["an unknown service in dev mode", { live: ["x"] }, /store:live: there is no service "x"/],
    [
      "dev mode for a service that isn't enabled",
      { services: ["billing"], live: ["orders"] },
      /store:live: "orders" doesn't run/,
    ],
    [
      "replicas of an unknown service",
      { replicas: { x: 1 } },
      /store:replicas\.x: there is no service "x"/,
    ],
    [
      "0 replicas",
      { replicas: { orders: 0 } },
      /store:replicas\.orders: 0 should be a whole number from 1 to 16/,
    ],
    [
      "a fractional number of replicas",
      { replicas: { orders: 1.5 } },
      /store:replicas\.orders: 1\.5/,
    ],
    ["too many replicas", { replicas: { orders: 17 } }, /store:replicas\.orders: 17/],
    [
      "a text in place of a number of replicas",
      { replicas: { orders: "two" } },
      /store:replicas\.orders: "two"/,
    ],
    [
      "a list in place of replicas by service",
      { replicas: [2] },
      /store:replicas: \[2\] should be numbers by service/,
    ],
    [
      "variables of an unknown service",
      { environment: { x: { A: "1" } } },
      /store:environment\.x: there is no service "x"/,
    ],
    [
      "a list in place of variables by service",
      { environment: ["A=1"] },
      /store:environment: \["A=1"\] should be variables by service, such as \{orders: \{NAME: value\}\}/,
    ],
    [
      "a text in place of a service's variables",
      { environment: { orders: "A=1" } },
      /store:environment\.orders: "A=1" should be values by variable name/,
    ],
    [
      "a variable that is a list",
      { environment: { orders: { A: [1] } } },
      /store:environment\.orders\.A: \[1\] should be text, a number or a flag/,
    ],
    [
      "an invalid variable name",
      { environment: { orders: { "a=b": 1 } } },
      /store:environment\.orders\.a=b: a name has letters, digits/,
    ],
    [
      "a staff token instead of its hash",
      { staffTokens: { ana: "secret-token-of-ana" } },
      /^store:staffTokens\.ana: (?!.*secret-token).*should be "sha256:" and 64 digits/,
    ],
    [
      "an invalid name of a staff token",
      { staffTokens: { "Ana Silva": `sha256:${"0".repeat(64)}` } },
      /^store:staffTokens\.Ana Silva: .*should be 1 to 32 lower-case letters/,
    ],
    [
      "a removed staff token that the configuration has added",
      { staffTokens: { ana: "removed" } },
      /^store:staffTokens: only staff, which the stack creates, can be "removed"/,
    ],
    [
      "no staff token at all",
      { staffTokens: { staff: "removed" } },
      /^store:staffTokens: at least one token must be left/,
    ],
    ...["PORT", "DATABASE_HOST", "DATABASE_PASSWORD_FILE", "STAFF_TOKENS_FILE"].map(
      (name): [string, Record<string, unknown>, RegExp] => [
        `the reserved variable ${name}`,
        { environment: { orders: { [name]: "1" } } },
        new RegExp(`store:environment\\.orders\\.${name}: is set by the program`),
      ],
    ),
    [
      "a variable that the program sets to a secret's file",
      { environment: { billing: { KEY_FILE: "/x" } }, secrets: { billing: { KEY: "s3cret" } } },
      /store:environment\.billing\.KEY_FILE: .*store:secrets\.billing\.KEY/,
    ],
    [
      "an endpoint that isn't a URL",
      { otlpEndpoint: "collector:4318" },
      /store:otlpEndpoint: "collector:4318" should be a URL, such as http:/,
    ],
    [
      "a negative request limit",
      { requestLimit: -1 },
      /store:requestLimit: -1 should be a whole number/,
    ],
    [
      "a fractional request limit",
      { requestLimit: 0.5 },
      /store:requestLimit: 0\.5 should be a whole number/,
    ],
    ["a port above 65535", { httpPort: 65536 }, /store:httpPort: 65536 should be/],
    ["port 0", { httpPort: 0 }, /store:httpPort: 0 should be/],
    ["an unknown host", { host: "aws" }, /store:host: "aws" should be one of local, azure, ssh/],
    [
      "an image tag without a version",
      { nodeImage: "node:latest" },
      /store:nodeImage: "node:latest" should be an image with an exact version/,
    ],
    [
      "an image without a tag",
      { postgresImage: "postgres" },
      /store:postgresImage: "postgres" should be an image with an exact version/,
    ],
    [
      "an image whose registry has a port and whose tag is missing",
      { haproxyImage: "localhost:5000/haproxy" },
      /store:haproxyImage/,
    ],
  ];
  for (const [what, keys, message] of refused) {
    it(`rejects ${what} and names the key`, () => {
      assert.throws(
        () => read(keys),
        (error: Error) => pulumi.RunError.isInstance(error) && message.test(error.message),
      );
    });
  }

  for (const [what, secrets] of [
    ["a text", "s3cret"],
    ["a list in place of a secret", { billing: { KEY: ["s3cret"] } }],
    ["a text in place of a service's secrets", { billing: "s3cret" }],
  ] as const) {
    it(`rejects ${what} and doesn't show it`, () => {
      assert.throws(
        () => read({ secrets }),
        (error: Error) => /^store:secrets/.test(error.message) && !error.message.includes("s3cret"),
      );
    });
  }

  it("returns variables as text and secrets as secret outputs", async () => {
    const { environment, secrets } = read({
      environment: {
        billing: { PAYMENT_PROVIDER: "stripe", SLOW_MS: 5, LOUD: false, http_proxy: "" },
      },
      secrets: { billing: { STRIPE_SECRET_KEY: "s3cret" } },
    });
    assert.deepEqual(environment, {
      billing: { PAYMENT_PROVIDER: "stripe", SLOW_MS: "5", LOUD: "false", http_proxy: "" },
    });
    const secret = secrets["billing"]?.["STRIPE_SECRET_KEY"];
    assert.ok(secret);
    assert.equal(await pulumi.isSecret(secret), true);
  });

  it("rejects secrets that aren't encrypted and variables that are", () => {
    for (const [key, problem] of [
      ["secrets", /^store:secrets: isn't encrypted\..* --path 'secrets\.SERVICE\.NAME'/],
      ["environment", /^store:environment: has an encrypted value/],
    ] as const) {
      assert.throws(
        () =>
          read(
            { [key]: { billing: { KEY: "s3cret" } } },
            key === "secrets" ? [] : [`store:${key}`],
          ),
        (error: Error) => problem.test(error.message) && !error.message.includes("s3cret"),
      );
    }
  });

  it("reports all mistakes at once, one per line", () => {
    assert.throws(
      () =>
        read({
          httpPort: 0,
          demoData: "perhaps",
          replicas: { orders: 0, returns: "two", x: 1 },
          environment: { billing: { PORT: "1", "a=b": "2" } },
          services: ["inventori"],
          nodeImage: "node",
        }),
      (error: Error) => {
        assert.deepEqual(
          error.message.split("\n").map((line) => line.split(": ")[0]),
          [
            "store:httpPort",
            "store:services",
            "store:replicas.orders",
            "store:replicas.returns",
            "store:replicas.x",
            "store:environment.billing.PORT",
            "store:environment.billing.a=b",
            "store:demoData",
            "store:nodeImage",
          ],
        );
        return pulumi.RunError.isInstance(error);
      },
    );
  });

  it("doesn't check a valid key against an invalid one", () => {
    assert.throws(
      () => read({ host: "azure", registry: "r.io", owner: "me", adminCidrs: ["10.0.0.0/33"] }),
      (error: Error) => /^store:registry: .*\nstore:adminCidrs: [^\n]*$/.test(error.message),
    );
  });

  it("rejects keys that it would otherwise ignore", () => {
    const rejected = (keys: Record<string, unknown>, message: RegExp) =>
      assert.throws(() => read(keys), message);
    rejected({ replicas: { constructor: 2 } }, /store:replicas: "constructor" can't be a name/);
    rejected({ environment: { constructor: { A: "1" } } }, /store:environment: "constructor"/);
    rejected(
      { registry: { nope: "s3cret" } },
      /store:registry\.nope: (?!.*s3cret)isn't a field of the registry\. The fields are: address/,
    );
  });

  it("doesn't show the password for pulling", () => {
    assert.throws(
      () => read({ registry: { pullPassword: ["s3cret"] } }),
      (error: Error) =>
        error.message.startsWith("store:registry.pullPassword: ") &&
        !error.message.includes("s3cret"),
    );
  });

  it("doesn't show any value of an encrypted key", () => {
    assert.throws(
      () =>
        read({ adminCidrs: ["s3cret"], registry: { password: ["s3cret"] } }, ["store:adminCidrs"]),
      (error: Error) =>
        /^store:registry\.password: .*\nstore:adminCidrs: /.test(error.message) &&
        !error.message.includes("s3cret"),
    );
  });

  it("accepts an image by version and digest", () => {
    const ref = `registry.example:5000/node:26.10.0@sha256:${"0".repeat(64)}`;
    assert.equal(read({ nodeImage: ref }).images.node, ref);
    // A fallback image in its place has no digest.
    withEnvironment({ STORE_FALLBACK_IMAGES: `other:1.0 ${ref}` }, () =>
      assert.equal(read({ nodeImage: ref }).images.node, "registry.example:5000/node:26.10.0"),
    );
  });

  it("rejects a daemon that Pulumi wouldn't build with", () =>
    withEnvironment({ DOCKER_HOST: "unix:///other.sock" }, () => {
      assert.throws(
        () => read({ dockerHost: "unix:///pinned.sock" }),
        /^[^]*store:dockerHost: the store runs at unix:\/\/\/pinned\.sock, but .*other\.sock \(DOCKER_HOST\).*DOCKER_HOST=unix:\/\/\/pinned/,
      );
    }));

  it("accepts the variables of proxies in lower case", () => {
    const environment = { orders: { http_proxy: "http://proxy:3128", no_proxy: "localhost" } };
    assert.deepEqual(read({ environment }).environment, environment);
  });

  it("builds with the daemon's own builder in any context", () => {
    assert.equal(read().builder, "default");
  });

  it("rejects an environment without BuildKit", () =>
    withEnvironment({ DOCKER_BUILDKIT: "0" }, () => {
      assert.throws(() => read(), /DOCKER_BUILDKIT/);
    }));

  it("refuses dev mode with a Docker daemon of another machine, which would mount empty folders", () =>
    withEnvironment({ DOCKER_HOST: "ssh://build@host" }, () => {
      assert.throws(
        () => read({ dockerHost: "ssh://build@host", live: ["orders"] }),
        /^[^]*store:live: .*ssh:\/\/build@host.*\.\/store services orders/,
      );
      assert.deepEqual(read({ dockerHost: "ssh://build@host" }).devModeServices, []);
    }));

  it("names store:dockerHost if the docker command's own configuration names no daemon", () =>
    withEnvironment({ DOCKER_HOST: undefined, DOCKER_CONTEXT: "gone" }, () => {
      assert.throws(
        () => read({ dockerHost: "" }),
        (error: Error) =>
          pulumi.RunError.isInstance(error) &&
          /^store:dockerHost: .*context gone .*Or set the key\.$/.test(error.message),
      );
    }));
});
