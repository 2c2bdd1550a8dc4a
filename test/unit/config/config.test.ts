import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { readConfig, StoreConfig, withNeeds } from "../../../config/config";
import { ServiceSpec } from "../../../services/spec";
import { withEnvironment } from "../environment";

const spec = (over: Partial<ServiceSpec> = {}): ServiceSpec => ({
  port: 3000,
  health: { command: ["true"] },
  ...over,
});
const specs = new Map([
  ["billing", spec()],
  ["inventory", spec()],
  ["orders", spec({ needs: ["inventory", "billing"] })],
  ["returns", spec({ needs: ["orders"] })],
]);

/** Reads a configuration in which some keys differ from the defaults of Pulumi.yaml. */
function read(
  keys: Record<string, unknown> = {},
  encrypted: readonly string[] = ["store:secrets"],
): StoreConfig {
  process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify(encrypted);
  const all: Record<string, unknown> = {
    host: "local",
    dockerHost: "unix:///test.sock",
    httpPort: 8080,
    requestLimit: 500,
    services: [],
    servicesOnly: false,
    live: [],
    replicas: {},
    environment: {},
    otlpEndpoint: "",
    secrets: {},
    demoData: false,
    nodeImage: "node:26.10.0-slim",
    postgresImage: "postgres:18.4",
    haproxyImage: "haproxy:3.0.11",
    ...keys,
  };
  pulumi.runtime.setAllConfig(
    Object.fromEntries(
      Object.entries(all).map(([key, value]) => [
        `store:${key}`,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    ),
  );
  return readConfig(specs);
}

describe("config", () => {
  afterEach(() => {
    pulumi.runtime.setAllConfig({});
    delete process.env["PULUMI_CONFIG_SECRET_KEYS"];
  });

  it("runs all services when none is named", () => {
    assert.deepEqual(read().running, ["billing", "inventory", "orders", "returns"]);
  });

  it("brings what a service needs, and what that needs", () => {
    assert.deepEqual(read({ services: ["returns"] }).running, [
      "billing",
      "inventory",
      "orders",
      "returns",
    ]);
    assert.deepEqual(read({ services: ["orders"] }).running, ["billing", "inventory", "orders"]);
  });

  it("leaves out what is needed when told so", () => {
    assert.deepEqual(read({ services: ["orders"], servicesOnly: true }).running, ["orders"]);
  });

  it("survives services that need each other", () => {
    const circle = new Map([
      ["a", spec({ needs: ["b"] })],
      ["b", spec({ needs: ["a"] })],
    ]);
    assert.deepEqual(withNeeds(["a"], circle), ["a", "b"]);
  });

  const refused: [string, Record<string, unknown>, RegExp][] = [
    [
      "an unknown service",
      { services: ["inventori"] },
      /store:services: there is no service "inventori"\. There are: billing, inv/,
    ],
    ["services that are no list", { services: "orders" }, /store:services:/],
    [
      "only services, but none",
      { servicesOnly: true },
      /store:servicesOnly: is true, but store:services names none/,
    ],
    ["an unknown live service", { live: ["x"] }, /store:live: there is no service "x"/],
    [
      "a live service that doesn't run",
      { services: ["billing"], live: ["orders"] },
      /store:live: "orders" doesn't run/,
    ],
    [
      "replicas of an unknown service",
      { replicas: { x: 1 } },
      /store:replicas: there is no service "x"/,
    ],
    [
      "no replicas",
      { replicas: { orders: 0 } },
      /store:replicas: orders is 0; it should be a whole number from 1 to 16/,
    ],
    ["half a replica", { replicas: { orders: 1.5 } }, /store:replicas: orders is 1\.5/],
    ["too many replicas", { replicas: { orders: 17 } }, /store:replicas: orders is 17/],
    ["replicas in words", { replicas: { orders: "two" } }, /store:replicas: orders is "two"/],
    ["replicas as a list", { replicas: [2] }, /store:replicas: \[2\] should be numbers by service/],
    [
      "variables of an unknown service",
      { environment: { x: { A: "1" } } },
      /store:environment: there is no service "x"/,
    ],
    [
      "variables as a list",
      { environment: ["A=1"] },
      /store:environment: \["A=1"\] should be variables by service, such as \{billing: \{NAME: value\}\}/,
    ],
    [
      "variables of a service that are no mapping",
      { environment: { orders: "A=1" } },
      /store:environment\.orders: "A=1" should be values by variable's name/,
    ],
    [
      "a variable that is a list",
      { environment: { orders: { A: [1] } } },
      /store:environment\.orders\.A: \[1\] should be text, a number or a flag/,
    ],
    [
      "a variable's name that is none",
      { environment: { orders: { "a-b": 1 } } },
      /store:environment\.orders\.a-b: a name has capital letters/,
    ],
    ...["PORT", "DATABASE_HOST", "DATABASE_PASSWORD_FILE", "STAFF_TOKEN_FILE"].map(
      (name): [string, Record<string, unknown>, RegExp] => [
        `the variable ${name}, which the program sets`,
        { environment: { orders: { [name]: "1" } } },
        new RegExp(`store:environment\\.orders\\.${name}: is set by the program`),
      ],
    ),
    [
      "a variable that a secret needs",
      { environment: { billing: { KEY_FILE: "/x" } }, secrets: { billing: { KEY: "s3cret" } } },
      /store:environment\.billing\.KEY_FILE: is where store:secrets\.billing\.KEY is to be found/,
    ],
    [
      "an endpoint that is no URL",
      { otlpEndpoint: "collector:4318" },
      /store:otlpEndpoint: "collector:4318" should be a URL, such as http:/,
    ],
    ["a limit below none", { requestLimit: -1 }, /store:requestLimit: -1 should be a whole number/],
    ["half a request", { requestLimit: 0.5 }, /store:requestLimit: 0\.5 should be a whole number/],
    ["a port beyond the range", { httpPort: 65536 }, /store:httpPort: 65536 is not a port/],
    ["a port of 0", { httpPort: 0 }, /store:httpPort: 0 is not a port/],
    ["an unknown host", { host: "aws" }, /store:host: "aws" is none of local, azure/],
    [
      "a moving tag",
      { nodeImage: "node:latest" },
      /store:nodeImage: "node:latest" has no exact version/,
    ],
    [
      "no tag",
      { postgresImage: "postgres" },
      /store:postgresImage: "postgres" has no exact version/,
    ],
    [
      "a registry's port taken for a tag",
      { haproxyImage: "localhost:5000/haproxy" },
      /store:haproxyImage/,
    ],
  ];
  for (const [what, keys, message] of refused) {
    it(`refuses ${what} and names the key`, () => {
      assert.throws(
        () => read(keys),
        (error: Error) => pulumi.RunError.isInstance(error) && message.test(error.message),
      );
    });
  }

  for (const [what, secrets] of [
    ["no mapping", "s3cret"],
    ["a list", { billing: { KEY: ["s3cret"] } }],
    ["no mapping of a service", { billing: "s3cret" }],
  ] as const) {
    it(`refuses secrets that are ${what}, without showing them`, () => {
      assert.throws(
        () => read({ secrets }),
        (error: Error) => /^store:secrets/.test(error.message) && !error.message.includes("s3cret"),
      );
    });
  }

  it("gives services variables as text, and secrets as secrets", async () => {
    const { environment, secrets } = read({
      environment: { billing: { PAYMENT_PROVIDER: "stripe", SLOW_MS: 5, LOUD: false } },
      secrets: { billing: { STRIPE_SECRET_KEY: "s3cret" } },
    });
    assert.deepEqual(environment, {
      billing: { PAYMENT_PROVIDER: "stripe", SLOW_MS: "5", LOUD: "false" },
    });
    const secret = secrets["billing"]?.["STRIPE_SECRET_KEY"];
    assert.ok(secret);
    assert.equal(await pulumi.isSecret(secret), true);
  });

  it("refuses secrets that aren't encrypted, and variables that are", () => {
    for (const [key, problem] of [
      [
        "secrets",
        /^store:secrets: isn't encrypted\. Take it out .* --path 'secrets\.SERVICE\.NAME'/,
      ],
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

  it("takes an image by version and digest", () => {
    const ref = `registry.example:5000/node:26.10.0@sha256:${"0".repeat(64)}`;
    assert.equal(read({ nodeImage: ref }).images.node, ref);
  });

  it("says which key to set where the docker command's own configuration names no daemon", () =>
    withEnvironment({ DOCKER_HOST: undefined, DOCKER_CONTEXT: "gone" }, () => {
      assert.throws(
        () => read({ dockerHost: "" }),
        (error: Error) =>
          pulumi.RunError.isInstance(error) &&
          /^store:dockerHost: .*context gone .*Or set the key\.$/.test(error.message),
      );
    }));
});
