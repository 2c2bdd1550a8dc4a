import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { DatabaseData } from "../../../../components/database/database";
import { LocalHost } from "../../../../components/host/localHost";
import { hashOfToken } from "../../../../components/staffTokens";
import { ServiceSpec } from "../../../../services/spec";
import {
  COMMAND,
  CONTAINER,
  promiseOf,
  reset,
  resource,
  resources,
  setMocks,
  VOLUME,
} from "../../mocks";
import { kit, runningContainers, createStore } from "./createStore";

describe("The secrets of Store", () => {
  before(setMocks);
  beforeEach(reset);

  it("gives a caller a token for each service that it calls, and the called one its hash", async () => {
    createStore();
    const written = async (name: string): Promise<string> =>
      JSON.stringify((await resource(COMMAND, name)).inputs["stdin"]);
    const orders = await written("orders-calls");
    const [, token = ""] = /'INVENTORY_TOKEN' '([0-9a-f]{64})'/.exec(orders) ?? [];
    assert.notEqual(token, "");
    assert.match(orders, /'CALLERS' ''/);
    const hash = createHash("sha256").update(token).digest("hex");
    const inventory = await written("inventory-calls");
    assert.ok(inventory.includes(`'CALLERS' 'orders ${hash}\\n'`), inventory);
    assert.ok(!inventory.includes(token));
    const environment = (name: string) => resource(CONTAINER, name).then((r) => r.inputs["envs"]);
    assert.ok(
      String(await environment("orders-0")).includes(
        "INVENTORY_TOKEN_FILE=/run/secrets-orders-calls/INVENTORY_TOKEN",
      ),
    );
    assert.match(
      String(await environment("inventory-0")),
      /CALLERS_FILE=\/run\/secrets-inventory-calls\/CALLERS/,
    );
    assert.doesNotMatch(String(await environment("storefront-0")), /CALLERS|TOKEN/);
  });

  it("has a token of its own for each pair of services, and replaces no container for a new caller", async () => {
    const services = (...callers: string[]) => {
      reset();
      const specs = new Map<string, ServiceSpec>([
        ["inventory", kit],
        ["billing", kit],
        ...callers.map((name) => [name, { ...kit, dependsOn: ["inventory", "billing"] }] as const),
      ]);
      createStore({ specs, enabledServices: [...specs.keys()] });
    };
    services("orders");
    const before = (await resource(CONTAINER, "inventory-0")).inputs;
    services("orders", "shipping");
    assert.deepEqual((await resource(CONTAINER, "inventory-0")).inputs, before);
    const tokens = ["orders", "shipping"].map(async (caller) =>
      JSON.stringify((await resource(COMMAND, `${caller}-calls`)).inputs["stdin"]).match(
        /[0-9a-f]{64}/g,
      ),
    );
    assert.equal(new Set((await Promise.all(tokens)).flat()).size, 4);
    const callers = JSON.stringify((await resource(COMMAND, "inventory-calls")).inputs["stdin"]);
    assert.match(callers, /'orders [0-9a-f]{64}\\nshipping [0-9a-f]{64}\\n'/);
  });

  it("passes passwords as secret files, never as environment variables", async () => {
    createStore();
    for (const { name, inputs } of await runningContainers()) {
      assert.doesNotMatch(
        JSON.stringify([inputs["envs"], inputs["command"], inputs["labels"]]),
        /password-of/,
        name,
      );
    }
    const writer = await resource(COMMAND, "orders-database-secrets");
    assert.doesNotMatch(String(writer.inputs["create"]), /password-of/);
    assert.match(
      JSON.stringify(writer.inputs["stdin"]),
      /set -- '\/files' 'database-password' 'password-of-orders-data-password'\\n/,
    );
    const { inputs } = await resource(CONTAINER, "orders-0");
    assert.deepEqual(inputs["volumes"], [
      {
        volumeName: "orders-database-secrets-1234567",
        containerPath: "/run/secrets",
        readOnly: true,
      },
      {
        volumeName: "staff-tokens-1234567",
        containerPath: "/run/secrets-staff-tokens",
        readOnly: true,
      },
      {
        volumeName: "orders-calls-1234567",
        containerPath: "/run/secrets-orders-calls",
        readOnly: true,
      },
    ]);
  });

  it("mounts one file with the staff tokens' hashes into each service whose spec lists it", async () => {
    const ana = hashOfToken("token-of-ana");
    const { staffToken } = createStore({ staffTokens: { ana } });
    assert.equal(await pulumi.isSecret(staffToken ?? assert.fail()), true);
    const having = (await runningContainers()).filter(({ inputs }) =>
      JSON.stringify(inputs["envs"] ?? []).includes("STAFF_TOKENS"),
    );
    assert.deepEqual(having.map(({ name }) => name).sort(), ["inventory-0", "orders-0"]);
    const mounting = (await resources(CONTAINER)).filter(({ inputs }) =>
      JSON.stringify(inputs["volumes"] ?? []).includes("staff-tokens"),
    );
    assert.deepEqual(mounting.map(({ name }) => name).sort(), ["inventory-0", "orders-0"]);
    const { inputs } = await resource(COMMAND, "staff-tokens");
    const first = hashOfToken("password-of-staff-token");
    const [anas, firsts] = [ana, first].map((hash) => hash.replace("sha256:", ""));
    assert.ok(
      JSON.stringify(inputs["stdin"]).includes(
        `'/files' 'STAFF_TOKENS' 'ana ${anas}\\nstaff ${firsts}\\n'\\n`,
      ),
    );
    // No service and no file of the host has a token.
    for (const { name, inputs: given } of await resources(COMMAND))
      assert.doesNotMatch(JSON.stringify(given), /password-of-staff-token/, name);
  });

  it("leaves out the first staff token after it was removed", async () => {
    const ana = hashOfToken("token-of-ana");
    assert.equal(createStore({ staffTokens: { ana, staff: "removed" } }).staffToken, undefined);
    const { inputs } = await resource(COMMAND, "staff-tokens");
    const stdin = JSON.stringify(inputs["stdin"]);
    assert.match(stdin, /'STAFF_TOKENS' 'ana [0-9a-f]{64}\\n'\\n/);
    assert.doesNotMatch(stdin, /staff [0-9a-f]|removed/);
  });

  it("gives the first staff token itself to a service that was written before there were several", async () => {
    const specs = new Map<string, ServiceSpec>([
      ["inventory", { ...kit, secrets: ["STAFF_TOKEN"] }],
    ]);
    createStore({ specs, enabledServices: ["inventory"] });
    const writer = await resource(COMMAND, "staff-token");
    assert.match(
      JSON.stringify(writer.inputs["stdin"]),
      /set -- '\/files' 'STAFF_TOKEN' 'password-of-staff-token'\\n/,
    );
  });

  it("writes no file with the staff token if no enabled service lists it", async () => {
    createStore({ enabledServices: ["storefront"] });
    assert.deepEqual(
      (await resources(VOLUME)).map(({ name }) => name).filter((name) => name.includes("token")),
      [],
    );
  });

  it("keeps the password a secret", async () => {
    const data = new DatabaseData("data", {
      service: "inventory",
      host: new LocalHost("local", { dockerHost: "unix:///test.sock" }),
    });
    assert.equal(await promiseOf(data.password), "password-of-data-password");
    assert.equal(await pulumi.isSecret(data.password), true);
  });
});
