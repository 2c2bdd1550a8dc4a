import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { isPublicKey, problemOfPrivateKey } from "../../../components/host/ssh/sshKeys";
import { keyPair } from "./keys";

describe("SSH keys", () => {
  const pair = keyPair();

  it("accepts keys in the format of ssh-keygen", () => {
    assert.equal(isPublicKey(`${pair.public}\n`), true);
    assert.equal(problemOfPrivateKey(pair.private, pair.public), undefined);
    assert.equal(problemOfPrivateKey(pair.private), undefined);
  });

  for (const [what, text] of [
    ["an empty text", ""],
    ["a word", "ssh-ed25519"],
    ["data that isn't a key", `ssh-ed25519 ${"A".repeat(68)}`],
    ["half of one", pair.public.slice(0, 60)],
    ["one of another type", pair.public.replace("ssh-ed25519", "ssh-rsa")],
    ["a private key", pair.private],
  ] as const) {
    it(`refuses ${what} as a public key`, () => assert.equal(isPublicKey(text), false));
  }

  it("refuses a private key of another pair", () => {
    assert.match(problemOfPrivateKey(pair.private, keyPair().public) ?? "", /sshPublicKey/);
  });

  it("refuses a private key with a passphrase", () => {
    const locked = keyPair("aes256-ctr");
    assert.match(problemOfPrivateKey(locked.private, locked.public) ?? "", /passphrase/);
    assert.match(problemOfPrivateKey(pem("secret")) ?? "", /passphrase/);
  });

  it("accepts a private key in PEM format", () => {
    assert.equal(problemOfPrivateKey(pem()), undefined);
  });

  for (const [what, text] of [
    ["text", "hello"],
    ["one that was cut", pair.private.slice(0, 80)],
    ["one without its content", pair.private.replace(/\n.{200,}\n/, "\nAAAA\n")],
    ["a public key", pair.public],
  ] as const) {
    it(`refuses ${what} as a private key`, () =>
      assert.match(problemOfPrivateKey(text) ?? "", /isn't a private key/));
  }
});

function pem(passphrase?: string): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  const lock = passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase };
  return privateKey.export({ type: "pkcs8", format: "pem", ...lock }).toString();
}
