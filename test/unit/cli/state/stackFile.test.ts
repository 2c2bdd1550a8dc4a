import assert from "node:assert/strict";
import { mergeChanges, withQuotes } from "@store/cli/state/mergeConfig";
import { restoredText, stripSalt, addSalt } from "@store/cli/state/stackFile";

const SALT = "v1:wTSoyaEFMos=:v1:IqDUTW6bG0efFj9f:AQQktqpRmlnBAf3Pv08fnGIYqbwWug==";
const FILE = "# the dev stack\nconfig:\n  # where the gateway listens\n  store:httpPort: 8080\n";

describe("addSalt", () => {
  it("adds the salt and changes nothing else", () => {
    assert.equal(addSalt(FILE, SALT), `${FILE}encryptionsalt: ${SALT}\n`);
    assert.equal(stripSalt(addSalt(FILE, SALT)), FILE);
  });

  it("supports files without a final newline, empty ones and flow mappings", () => {
    assert.equal(addSalt("config: {}", SALT), `config: {}\nencryptionsalt: ${SALT}\n`);
    assert.equal(addSalt("", SALT), `encryptionsalt: ${SALT}\n`);
    assert.equal(addSalt("# nothing yet\n", SALT), `# nothing yet\nencryptionsalt: ${SALT}\n`);
    assert.match(addSalt('{"config": {"a:b": 1}}', SALT), /encryptionsalt: v1:wTSo/);
  });

  it("keeps a salt that the file already has", () => {
    const own = `${FILE}encryptionsalt: v1:own\n`;
    assert.equal(addSalt(own, SALT), own);
  });

  it("returns the original if the stack has no salt", () => {
    assert.equal(addSalt(FILE, undefined), FILE);
  });
});

describe("restoredText", () => {
  it("is undefined if the engine changed nothing", () => {
    assert.equal(restoredText(FILE, addSalt(FILE, SALT)), undefined);
    assert.equal(restoredText("config: {}", addSalt("config: {}", SALT)), undefined);
    assert.equal(restoredText("", addSalt("", SALT)), undefined);
  });

  it("is undefined if the engine only reformatted the file", () => {
    const rewritten = `config:\n    store:httpPort: "8080"\nencryptionsalt: ${SALT}\n`;
    assert.equal(restoredText(FILE, rewritten), undefined);
  });

  it("contains the change of `config set`, without the salt", () => {
    const changed = FILE.replace("8080", '"9000"');
    assert.equal(restoredText(FILE, addSalt(changed, SALT)), FILE.replace("8080", "9000"));
  });

  it("contains the change of `config set` to a new file", () => {
    const created = 'config:\n  store:httpPort: "9000"\n';
    assert.equal(restoredText("", addSalt(created, SALT)), created);
  });

  it("keeps the original file's salt", () => {
    const own = `${FILE}encryptionsalt: v1:own\n`;
    const changed = own.replace("8080", "9000");
    assert.equal(restoredText(own, changed), changed);
  });

  it("treats the order of a list as a change, the order of a mapping not", () => {
    const list = "config:\n  store:services: [a, b]\n";
    assert.notEqual(restoredText(list, "config:\n  store:services: [b, a]\n"), undefined);
    const mapping = "config:\n  a:b: 1\n  a:c: 2\n";
    assert.equal(restoredText(mapping, 'config:\n  a:c: "2"\n  a:b: "1"\n'), undefined);
  });
});

describe("a change of one key by the engine", () => {
  const original = `# Our stack.
config:
  store:httpPort: 80 # as the firewall has it
  store:services: [inventory]

  store:environment:
    inventory:
      VERSION: 1.10
      BIG: 12345678901234567
      DATE: 2024-01-01
      FLAG: on
      OCTAL: 010
`;

  /** The file as the engine writes it: without quotes only if it doesn't change the value. */
  const afterSet = (change: (text: string) => string): string =>
    change(withQuotes(original).replaceAll(/^ /gm, "   ").replace(/#.*/g, ""));

  it("leaves comments, quotes and all other values as they are", () => {
    const change = (text: string): string => text.replace('"80"', '"9000"');
    assert.equal(mergeChanges(original, afterSet(change)), original.replace("80 #", "9000 #"));
    assert.equal(
      mergeChanges(
        original,
        afterSet((text) => text),
      ),
      undefined,
    );
  });

  it("keeps keys without the project's name, which the engine writes in full", () => {
    const short = "config:\n  httpPort: 80 # fixed\n  services: [inventory]\n  aws:owner: a\n";
    const full = `config:
  aws:owner: "a"
  store:httpPort: "81"
  store:owner: team
  store:services:
    - "inventory"
`;
    assert.equal(
      mergeChanges(short, full, "store"),
      "config:\n  httpPort: 81 # fixed\n  services: [inventory]\n  aws:owner: a\n  store:owner: team\n",
    );
    const unchanged =
      'config:\n  store:httpPort: "80"\n  store:services: ["inventory"]\n  aws:owner: a\n';
    assert.equal(mergeChanges(short, unchanged, "store"), undefined);
  });

  it("adds and removes keys", () => {
    const added = mergeChanges(
      original,
      afterSet((text) => `${text}         NEW: 12345678901234567890\n`),
    );
    assert.equal(added, `${original}      NEW: "12345678901234567890"\n`);
    const removed = mergeChanges(
      original,
      afterSet((text) => text.replace(/.*OCTAL.*\n/, "")),
    );
    assert.equal(removed, original.replace(/.*OCTAL.*\n/, ""));
  });

  it("replaces a value without quotes by the same number in another form", () => {
    const change = (text: string): string => text.replace('"1.10"', '"1.1"');
    assert.equal(mergeChanges(original, afterSet(change)), original.replace("1.10", '"1.1"'));
  });

  it("is recognized without the quotes, if the engine rewrites the file for another reason", () => {
    const rewritten = original.replace("1.10", "1.1").replace("010", "8").replace("80 #", '"80" #');
    assert.equal(mergeChanges(original, rewritten), undefined);
  });
});
