import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { readConfig, type StoreConfig } from "../../../config/config";
import type { ServiceSpec } from "../../../services/spec";
import { TestAuthority } from "../../support/certificates";
import { promiseOf } from "../mocks";
import { resetConfig, setConfig } from "./stackConfig";

const PASSWORD = "s3cr@t/?#:%";
const URL_OF_ORDERS = `postgres://orders:${encodeURIComponent(PASSWORD)}@db.example.org/orders`;
const specs = new Map<string, ServiceSpec>([
  ["orders", { port: 3000, database: true }],
  ["storefront", { port: 3000 }],
]);

function read(
  keys: Record<string, unknown>,
  encrypted: readonly string[] = ["store:databaseUrl"],
): StoreConfig {
  setConfig({ dockerHost: "unix:///test.sock", ...keys }, encrypted);
  return readConfig(specs);
}

describe("the URLs of external databases", () => {
  afterEach(resetConfig);

  it("have the parts of a connection, of which the password is secret", async () => {
    const { externalDatabases, warnings } = read({ databaseUrl: { orders: URL_OF_ORDERS } });
    const { password, ...server } = externalDatabases?.["orders"] ?? assert.fail();
    assert.deepEqual(server, {
      ...{ host: "db.example.org", port: 5432, database: "orders", user: "orders" },
      sslMode: "verify-full",
    });
    assert.equal(await pulumi.isSecret(pulumi.output(password)), true);
    assert.equal(await promiseOf(pulumi.output(password)), PASSWORD);
    assert.deepEqual(warnings, []);
  });

  for (const [url, expected] of [
    ["postgresql://o:p@10.0.0.5:6543/db?sslmode=disable", ["10.0.0.5", 6543, "disable"]],
    ["postgres://o%40server:p@[fd00::5]/db?sslmode=require", ["fd00::5", 5432, "require"]],
    ["postgres://o:p@DB-1.internal/db", ["DB-1.internal", 5432, "verify-full"]],
  ] as const)
    it(`may be ${url}`, () => {
      const { host, port, sslMode } =
        read({ databaseUrl: { orders: url } }).externalDatabases?.["orders"] ?? assert.fail();
      assert.deepEqual([host, port, sslMode], expected);
    });

  for (const [what, url, problem] of [
    ["of another scheme", "mysql://orders:s3cret@db/orders", /should be a URL such as postgres:/],
    ["that is no text", { host: "s3cret" }, /should be a URL such as postgres:/],
    ["that isn't one", "s3cret", /should be a URL[^]*%40 for @/],
    ["with a special character", "postgres://o:s3cret/x@db/o", /%2F for \//],
    ["with a # in the password", "postgres://o:s3cret#x@db/o", /%23 for #/],
    ["with a % that encodes nothing", "postgres://o:s3cret%zz@db/o", /%25 for %/],
    ["with a second path", "postgres://o:s3cret@db/o/p", /one "\/" after the host/],
    ["without a password", "postgres://s3cret@db/o", /should have a user, a password/],
    ["without a host", "postgres://o:s3cret@/o?host=/run", /should be a URL/],
    ["with two hosts", "postgres://o:s3cret@a,b/o", /should have one host/],
    ["without a database", "postgres://o:s3cret@db", /name of a database/],
    ["with a line break", "postgres://o:s3cret%0a@db/o", /control character/],
    ["of this machine", "postgres://o:s3cret@localhost/o", /the service's own container/],
    ["of this machine's address", "postgres://o:s3cret@127.0.0.1/o", /own container/],
    [
      "that falls back to no TLS",
      "postgres://o:s3cret@db/o?sslmode=prefer",
      /should have sslmode=verify-full .*not "prefer"/,
    ],
    [
      "with a file of another machine",
      "postgres://o:s3cret@db/o?sslrootcert=/root.pem",
      /store:databaseRoot/,
    ],
    ["with another parameter", "postgres://o:s3cret@db/o?x=1", /should have no parameter "x"/],
    ["with one twice", "postgres://o:s3cret@db/o?sslmode=disable&sslmode=require", /once/],
    [
      "without TLS to a public address",
      "postgres://o:s3cret@93.184.215.14/o?sslmode=disable",
      /verify-full.*is a public address/,
    ],
  ] as const)
    it(`can't be one ${what}, which the message doesn't show`, () => {
      assert.throws(
        () => read({ databaseUrl: { orders: url } }),
        (error: Error) =>
          /^store:databaseUrl\.orders/.test(error.message) &&
          problem.test(error.message) &&
          !error.message.includes("s3cret"),
      );
    });

  it("must be encrypted", () => {
    assert.throws(
      () => read({ databaseUrl: { orders: URL_OF_ORDERS } }, []),
      /store:databaseUrl: has passwords in clear.* --secret --path databaseUrl\.SERVICE URL/,
    );
  });

  it("aren't shown in a message if they aren't encrypted, either", () => {
    assert.throws(
      () => read({ databaseUrl: { orders: "s3cret" } }, []),
      (error: Error) => !error.message.includes("s3cret"),
    );
  });

  it("are for services with a database only", () => {
    assert.throws(
      () => read({ databaseUrl: { storefront: URL_OF_ORDERS } }),
      /store:databaseUrl\.storefront: storefront has no database/,
    );
    assert.throws(
      () => read({ databaseUrl: { odrers: URL_OF_ORDERS } }),
      /store:databaseUrl\.odrers: there is no service "odrers"/,
    );
  });

  it("are warned of if others in the network can read along, or pass for the server", () => {
    const warned = (mode: string, keys = {}) =>
      read({ databaseUrl: { orders: `${URL_OF_ORDERS}?sslmode=${mode}` }, ...keys }).warnings;
    assert.match(warned("disable").join(), /^store:databaseUrl\.orders: has sslmode=disable: /);
    assert.deepEqual(warned("require"), []);
    const authority = new TestAuthority();
    const databaseRoot = authority.root.certificate;
    authority.dispose();
    assert.match(warned("require", { databaseRoot }).join(), /doesn't use store:databaseRoot/);
    assert.deepEqual(warned("verify-full", { databaseRoot }), []);
    const { externalDatabases } = read({ databaseUrl: { orders: URL_OF_ORDERS }, databaseRoot });
    assert.equal(externalDatabases?.["orders"]?.root, databaseRoot);
  });

  it("need a root certificate that exists, if one is named", () => {
    assert.throws(
      () => read({ databaseRoot: "/none.pem" }),
      /store:databaseRoot: can't read the file \/none\.pem: there is none/,
    );
  });
});
