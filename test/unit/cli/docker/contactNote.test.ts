import assert from "node:assert/strict";
import { renderUnchangedContact } from "../../../../packages/cli/docker/gateway/contactNote";
import { previewEvents, type TestStep } from "../review/reviews";

const DIRECTORY = "https://ca.example/directory";

describe("a changed store:acmeEmail", () => {
  const inputs = (email: string, directory = DIRECTORY) => ({
    command: ["folder", "file.pem", directory, email, "-", "shop.example.org"],
  });
  const orders = (before: string, after: string, directory?: string): TestStep => ({
    ...{ op: "replace", type: "docker:index/container:Container", name: "certificates" },
    ...{ before: inputs(before), after: inputs(after, directory), diff: ["command"] },
  });
  const KEY: TestStep = {
    ...{ op: "same", type: "tls:index/privateKey:PrivateKey" },
    name: "gateway-certificates-account",
  };
  const noteOf = (...steps: readonly TestStep[]): string =>
    renderUnchangedContact(previewEvents(...steps), "staging") ?? "";

  it("doesn't reach an account that exists, which the preview says with the command that does it", () => {
    const text = noteOf(orders("old@example.org", "new@example.org"), KEY);
    assert.match(text, /^store:acmeEmail: an account .* keeps the address old@example\.org/);
    assert.match(
      text,
      /\.\/store up staging -- --replace 'urn:pulumi:staging::store::\S+::gateway-certificates-account'$/,
    );
    assert.match(noteOf(orders("-", "new@example.org"), KEY), /stays without an address/);
  });

  it("reaches it with an account that isn't registered, such as after a refused address", () => {
    const text = noteOf(orders("refused@example.org", "new@example.org"), KEY);
    assert.match(
      text,
      /an account that .* registered already keeps .*; one that isn't registered gets/,
    );
  });

  it("reaches another authority, and the same one with another account", () => {
    const other = orders("old@example.org", "new@example.org", "https://other.example/directory");
    assert.equal(noteOf(other, KEY), "");
    const replaced = { ...KEY, op: "replace" };
    assert.equal(noteOf(orders("old@example.org", "new@example.org"), replaced), "");
  });

  it("isn't the cause of other changes of the container", () => {
    assert.equal(noteOf(orders("a@example.org", "a@example.org"), KEY), "");
    assert.equal(noteOf({ ...orders("a", "b"), op: "create", before: undefined }, KEY), "");
    assert.equal(noteOf(KEY), "");
  });
});
