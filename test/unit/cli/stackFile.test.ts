import assert from "node:assert/strict";
import { takenBack, withoutSalt, withSalt } from "@store/cli/state/stackFile";

const SALT = "v1:wTSoyaEFMos=:v1:IqDUTW6bG0efFj9f:AQQktqpRmlnBAf3Pv08fnGIYqbwWug==";
const FILE = "# the dev stack\nconfig:\n  # where the gateway listens\n  store:httpPort: 8080\n";

describe("the copy of a stack's file that the engine is given", () => {
  it("has this checkout's salt and everything of the original", () => {
    assert.equal(withSalt(FILE, SALT), `${FILE}encryptionsalt: ${SALT}\n`);
    assert.equal(withoutSalt(withSalt(FILE, SALT)), FILE);
  });

  it("is valid for files that end without a line end, are empty or written in braces", () => {
    assert.equal(withSalt("config: {}", SALT), `config: {}\nencryptionsalt: ${SALT}\n`);
    assert.equal(withSalt("", SALT), `encryptionsalt: ${SALT}\n`);
    assert.equal(withSalt("# nothing yet\n", SALT), `# nothing yet\nencryptionsalt: ${SALT}\n`);
    assert.match(withSalt('{"config": {"a:b": 1}}', SALT), /encryptionsalt: v1:wTSo/);
  });

  it("keeps a salt that the file has already", () => {
    const own = `${FILE}encryptionsalt: v1:own\n`;
    assert.equal(withSalt(own, SALT), own);
  });

  it("is the original where the stack has no salt yet", () => {
    assert.equal(withSalt(FILE, undefined), FILE);
  });
});

describe("what is taken back from the copy", () => {
  it("is nothing when the engine changed nothing", () => {
    assert.equal(takenBack(FILE, withSalt(FILE, SALT)), undefined);
    assert.equal(takenBack("config: {}", withSalt("config: {}", SALT)), undefined);
    assert.equal(takenBack("", withSalt("", SALT)), undefined);
  });

  it("is nothing when the engine only wrote it in another form", () => {
    const rewritten = `config:\n    store:httpPort: "8080"\nencryptionsalt: ${SALT}\n`;
    assert.equal(takenBack(FILE, rewritten), undefined);
  });

  it("is what `config set` has written, without the salt", () => {
    const changed = FILE.replace("8080", '"9000"');
    assert.equal(takenBack(FILE, withSalt(changed, SALT)), changed);
  });

  it("is what `config set` has written into a file that wasn't there", () => {
    const made = 'config:\n  store:httpPort: "9000"\n';
    assert.equal(takenBack("", withSalt(made, SALT)), made);
  });

  it("keeps the salt of a file that had one", () => {
    const own = `${FILE}encryptionsalt: v1:own\n`;
    const changed = own.replace("8080", "9000");
    assert.equal(takenBack(own, changed), changed);
  });

  it("sees a list in another order as a change, and a mapping in another order as none", () => {
    const list = "config:\n  store:services: [a, b]\n";
    assert.notEqual(takenBack(list, "config:\n  store:services: [b, a]\n"), undefined);
    const mapping = "config:\n  a:b: 1\n  a:c: 2\n";
    assert.equal(takenBack(mapping, 'config:\n  a:c: "2"\n  a:b: "1"\n'), undefined);
  });
});
