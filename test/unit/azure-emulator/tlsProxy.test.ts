import assert from "node:assert/strict";
import { tlsProxyFiles } from "@store/azure-emulator/registry/tlsProxy";

describe("The TLS proxy of the emulated registry", () => {
  const { "accounts.cfg": accounts, "permissions.txt": permissions } = tlsProxyFiles([
    { username: "host-pull", password: "p", rights: [{ repositories: "store/*", action: "read" }] },
    { username: "one", password: "q", rights: [{ repositories: "a.b", action: "write" }] },
  ]);
  const isAllowed = (request: string): boolean =>
    permissions
      .split("\n")
      .filter((line) => line !== "")
      .some((line) => new RegExp(line).test(request));

  it("knows the passwords of all accounts", () => {
    assert.match(accounts, /user host-pull insecure-password p$/m);
    assert.match(accounts, /user one insecure-password q$/m);
  });

  it("allows each account its actions in its repositories and no others", () => {
    assert.ok(isAllowed("host-pull read /v2/store/orders/manifests/1"));
    assert.ok(!isAllowed("host-pull write /v2/store/orders/manifests/1"));
    assert.ok(!isAllowed("host-pull read /v2/other/orders/manifests/1"));
    assert.ok(isAllowed("one write /v2/a.b/blobs/uploads/"));
    assert.ok(!isAllowed("one write /v2/aXb/blobs/uploads/"));
    assert.ok(!isAllowed("one read /v2/a.b/blobs/1"));
  });
});
