import assert from "node:assert/strict";
import { restoredText, stripSalt, addSalt } from "@store/cli/state/stackFile";

const SALT = "v1:wTSoyaEFMos=:v1:IqDUTW6bG0efFj9f:AQQktqpRmlnBAf3Pv08fnGIYqbwWug==";
const FILE = "# the dev stack\nconfig:\n  # where the gateway listens\n  store:httpPort: 8080\n";

describe("the copy of a stack's file that the engine is given", () => {
  it("has this checkout's salt and everything of the original", () => {
    assert.equal(addSalt(FILE, SALT), `${FILE}encryptionsalt: ${SALT}\n`);
    assert.equal(stripSalt(addSalt(FILE, SALT)), FILE);
  });

  it("is valid for files that end without a line end, are empty or written in braces", () => {
    assert.equal(addSalt("config: {}", SALT), `config: {}\nencryptionsalt: ${SALT}\n`);
    assert.equal(addSalt("", SALT), `encryptionsalt: ${SALT}\n`);
    assert.equal(addSalt("# nothing yet\n", SALT), `# nothing yet\nencryptionsalt: ${SALT}\n`);
    assert.match(addSalt('{"config": {"a:b": 1}}', SALT), /encryptionsalt: v1:wTSo/);
  });

  it("keeps a salt that the file has already", () => {
    const own = `${FILE}encryptionsalt: v1:own\n`;
    assert.equal(addSalt(own, SALT), own);
  });

  it("is the original where the stack has no salt yet", () => {
    assert.equal(addSalt(FILE, undefined), FILE);
  });
});

describe("what is taken back from the copy", () => {
  it("is nothing when the engine changed nothing", () => {
    assert.equal(restoredText(FILE, addSalt(FILE, SALT)), undefined);
    assert.equal(restoredText("config: {}", addSalt("config: {}", SALT)), undefined);
    assert.equal(restoredText("", addSalt("", SALT)), undefined);
  });

  it("is nothing when the engine only wrote it in another form", () => {
    const rewritten = `config:\n    store:httpPort: "8080"\nencryptionsalt: ${SALT}\n`;
    assert.equal(restoredText(FILE, rewritten), undefined);
  });

  it("is what `config set` has written, without the salt", () => {
    const changed = FILE.replace("8080", '"9000"');
    assert.equal(restoredText(FILE, addSalt(changed, SALT)), changed);
  });

  it("is what `config set` has written into a file that wasn't there", () => {
    const made = 'config:\n  store:httpPort: "9000"\n';
    assert.equal(restoredText("", addSalt(made, SALT)), made);
  });

  it("keeps the salt of a file that had one", () => {
    const own = `${FILE}encryptionsalt: v1:own\n`;
    const changed = own.replace("8080", "9000");
    assert.equal(restoredText(own, changed), changed);
  });

  it("sees a list in another order as a change, and a mapping in another order as none", () => {
    const list = "config:\n  store:services: [a, b]\n";
    assert.notEqual(restoredText(list, "config:\n  store:services: [b, a]\n"), undefined);
    const mapping = "config:\n  a:b: 1\n  a:c: 2\n";
    assert.equal(restoredText(mapping, 'config:\n  a:c: "2"\n  a:b: "1"\n'), undefined);
  });
});
