import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { checkCertificate } from "../../../config/https/certificate";
import { TestAuthority } from "../../support/certificates";

const DAY_MS = 24 * 3600 * 1000;

describe("checkCertificate", () => {
  let authority: TestAuthority;
  let shop: { readonly certificate: string; readonly key: string };
  const names = ["shop.example.org", "www.shop.example.org"];
  const mistakesOf = (pem: string, now?: Date) => checkCertificate(pem, names, now).mistakes;
  const intermediate = () => authority.intermediate.certificate;

  before(() => {
    authority = new TestAuthority();
    shop = authority.issue({ names });
  });
  after(() => authority.dispose());

  /** Asserts that there is one mistake, and that it matches. */
  const assertMistake = (mistakes: readonly string[], expected: RegExp): void => {
    assert.equal(mistakes.length, 1, mistakes.join("\n"));
    assert.match(mistakes[0] ?? "", expected);
    assert.doesNotMatch(mistakes.join(), /-----BEGIN [A-Z ]*PRIVATE/);
  };

  it("returns the chain in order with the key behind it, whatever their order, ends of lines and comments in the input", () => {
    const text = `Bag Attributes\n${shop.key}${shop.certificate}subject=x\n${intermediate()}`;
    const { mistakes, warnings, certificate } = checkCertificate(
      text.replaceAll("\n", "\r\n"),
      names,
    );
    assert.deepEqual([...mistakes, ...warnings], []);
    assert.equal(certificate?.pem, shop.certificate + intermediate() + shop.key);
    const ends = [shop.certificate, intermediate()].map((one) =>
      new Date(new X509Certificate(one).validTo).getTime(),
    );
    assert.equal(certificate.expires.getTime(), Math.min(...ends));
  });

  it("accepts RSA with 2048 bits, P-384, wildcards, and a certificate without extended key usage", () => {
    for (const key of [
      ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
      ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp384r1"],
    ]) {
      const pem = authority.bundle({
        names: ["*.example.org", "*.shop.example.org"],
        key,
        extensions: ["basicConstraints=CA:FALSE"],
      });
      assert.deepEqual(mistakesOf(pem), []);
    }
  });

  it("has a fingerprint that changes with a renewal and doesn't reveal the key", () => {
    const of = (pem: string) => checkCertificate(pem, names).certificate?.fingerprint;
    const pem = shop.certificate + intermediate() + shop.key;
    assert.match(of(pem) ?? "", /^[0-9a-f]{16}$/);
    assert.equal(of(pem), of(shop.key + shop.certificate + intermediate()));
    assert.notEqual(of(pem), of(authority.bundle({ names })));
  });

  it("refuses a text without a certificate, and one without a key", () => {
    assertMistake(mistakesOf(shop.key), /^has no certificate\./);
    assertMistake(mistakesOf(shop.certificate), /^has no private key\. Append it/);
  });

  it("refuses a damaged certificate and a damaged key", () => {
    const damage = (pem: string): string => pem.replace(/\n(.{30})/, "\n$1AAAA");
    assertMistake(
      mistakesOf(shop.certificate + damage(intermediate()) + shop.key),
      /^the second certificate is damaged/,
    );
    assertMistake(mistakesOf(shop.certificate + damage(shop.key)), /^the private key is damaged/);
  });

  it("refuses a key with a passphrase, and says how to remove it", () => {
    for (const format of [[], ["-traditional"]]) {
      const encrypted = execFileSync(
        "openssl",
        ["pkey", "-aes256", "-passout", "pass:secret", ...format],
        { input: shop.key, encoding: "utf8" },
      );
      assertMistake(mistakesOf(shop.certificate + encrypted), /has a passphrase.*openssl pkey/);
    }
  });

  it("refuses another certificate's key, and two keys", () => {
    const other = authority.issue({ names });
    assertMistake(mistakesOf(shop.certificate + other.key), /doesn't belong to the certificate/);
    assertMistake(mistakesOf(shop.certificate + other.key + shop.key), /^has 2 private keys/);
  });

  it("refuses keys that browsers refuse", () => {
    for (const [key, expected] of [
      [["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"], /RSA with 1024 bits/],
      [["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp521r1"], /the curve secp521r1/],
      [["-algorithm", "ED25519"], /the type ed25519/],
    ] as const)
      assertMistake(mistakesOf(authority.bundle({ names, key })), expected);
  });

  it("refuses a chain in another order, and one with a gap, each with the certificate's name", () => {
    const root = authority.root.certificate;
    const [first = "", ...others] = mistakesOf(intermediate() + shop.certificate + shop.key);
    assert.match(first, /^the second certificate belongs to the private key, and has to be the fi/);
    assert.match(others.join(), /\(shop\.example\.org\) isn't that of the issuer.*Test Intermed/);
    assertMistake(
      mistakesOf(shop.certificate + root + shop.key),
      /^the second certificate \(Test Root\) isn't that of the issuer .* \(shop\.example\.org\)/,
    );
    assert.deepEqual(mistakesOf(shop.certificate + intermediate() + root + shop.key), []);
  });

  it("refuses an issuer with the right name and another key", () => {
    const impostor = new TestAuthority();
    try {
      assertMistake(
        mistakesOf(shop.certificate + impostor.intermediate.certificate + shop.key),
        /isn't that of the issuer/,
      );
    } finally {
      impostor.dispose();
    }
  });

  it("refuses a certificate that lacks one of the names, also if its subject has the name", () => {
    assertMistake(
      mistakesOf(authority.bundle({ names: ["shop.example.org"] })),
      /^isn't valid for www\.shop\.example\.org \(store:domain\), but for shop\.example\.org\. /,
    );
    const one = checkCertificate(authority.bundle({ commonName: "shop.example.org" }), [
      "shop.example.org",
    ]);
    assertMistake(one.mistakes, /^isn't valid for shop\.example\.org .*but for no name/);
  });

  it("refuses a client's certificate", () => {
    const extensions = ["extendedKeyUsage=clientAuth"];
    assertMistake(mistakesOf(authority.bundle({ names, extensions })), /^isn't for servers/);
  });

  it("refuses a certificate after and before its time, and warns when it should be renewed", () => {
    const pem = shop.certificate + intermediate() + shop.key;
    const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);
    const late = mistakesOf(pem, inDays(90.1));
    assert.match(late[0] ?? "", /^shop\.example\.org expired on \d{4}-\d\d-\d\d\. Renew it/);
    const early = mistakesOf(pem, inDays(-1));
    assert.match(early[0] ?? "", /^shop\.example\.org isn't valid before/);
    const { mistakes, warnings } = checkCertificate(pem, names, inDays(84.5));
    assert.deepEqual(mistakes, []);
    assert.match(warnings.join(), /^expires in 5 days, on \d{4}-\d\d-\d\d\. Renew it/);
    assert.deepEqual(checkCertificate(pem, names, inDays(30)).warnings, []);
  });

  it("warns of a missing intermediate certificate of a public authority", () => {
    const extensions = ["authorityInfoAccess=caIssuers;URI:http://issuer.example/i.der"];
    const { certificate, key } = authority.issue({ names, extensions });
    const { mistakes, warnings } = checkCertificate(certificate + key, names);
    assert.deepEqual(mistakes, []);
    assert.match(warnings.join(), /chain may be incomplete.*http:\/\/issuer\.example\/i\.der$/);
    assert.deepEqual(checkCertificate(certificate + intermediate() + key, names).warnings, []);
  });

  it("reports all mistakes at once", () => {
    const other = authority.issue({ names: ["other.example.org"] });
    const mistakes = mistakesOf(
      other.certificate + authority.root.certificate + shop.key,
      new Date(Date.now() + 100 * DAY_MS),
    );
    for (const expected of [
      /doesn't belong/,
      /isn't that of the issuer/,
      /isn't valid for/,
      /expired/,
    ])
      assert.match(mistakes.join("\n"), expected);
  });
});
