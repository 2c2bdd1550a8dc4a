import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseProject, readProject } from "@store/cli/project/project";
import { checkStackFile, stackFileMistakes } from "@store/cli/project/stackFileCheck";

describe("The stack's file", () => {
  const project = readProject();
  const mistakes = (text: string | Buffer) => stackFileMistakes(Buffer.from(text), project);

  it("is accepted in each form that Pulumi reads as it is written", () => {
    for (const text of [
      ...["", "# nothing\n", "---\n", "config:\n", "config: {}\n", "encryptionsalt: v1:x\n"],
      "\ufeffconfig:\n  store:httpPort: 18080\n",
      "config:\r\n  httpPort: 18080\r\n  store:owner: Müller\r\n",
      "config:\n  environment:\n    inventory: &x {A: b}\n    orders: *x\n",
      "config:\n  environment:\n    inventory: &x {A: b}\n    orders:\n      <<: *x\n      C: !!str 1\n",
      "config:\n  aws:region: x\n  pulumi:tags: {a: b}\n",
      'config:\n  environment: {inventory: {A: ".inf", B: "\\0", C: \'.nan\'}}\n',
      "config:\n  secrets:\n    orders:\n      KEY:\n        secure: v1:abc:def\n",
    ]) {
      assert.deepEqual(mistakes(text), [], text);
    }
  });

  it("names the key, the line and the remedy of a number that isn't finite", () => {
    const text =
      "config:\n  httpPort: .inf\n  environment:\n    orders:\n      X: .NaN\n  live: [-.Inf]\n";
    const found = mistakes(text);
    assert.equal(found.length, 3);
    assert.match(found[0] ?? "", /^line 2: httpPort is \.inf,.* put it in quotes: "\.inf"/);
    assert.match(found[1] ?? "", /^line 5: environment\.orders\.X is \.NaN,/);
    assert.match(found[2] ?? "", /^line 6: live\[0\] is -\.Inf,/);
  });

  it("is refused with the line for what YAML allows and Pulumi ignores or can't pass on", () => {
    const cases: readonly [string | Buffer, RegExp][] = [
      ["config:\n  owner: !secret x\n", /^line 2: owner has the tag !secret, .*Remove the tag/],
      ["config:\n  owner: !!binary aGVsbG8=\n", /^line 2: owner has the tag !!binary/],
      [
        "config:\n  environment: &a\n    orders: *a\n",
        /^line 3: environment\.orders contains itself/,
      ],
      ["config:\n  httpPort: 1\n---\nconfig: {}\n", /^line 3: a second document/],
      ["- a\n", /^line 1: must be a mapping/],
      ["config:\n  - a\n", /^line 2: "config" must be a mapping/],
      [
        "config:\n  httpPort: 1\n  store:httpPort: 2\n",
        /^line 3: store:httpPort and httpPort are the same key/,
      ],
      ["config:\n  a:b:c: 1\n", /^line 2: a:b:c is not a key/],
      ["config:\n  htpPort: 1\n", /^line 2: there is no key htpPort/],
    ];
    for (const [text, message] of cases) assert.match(mistakes(text).join("\n"), message);
  });

  it("is refused with the line if it isn't YAML in UTF-8", () => {
    const cases: readonly [string | Buffer, RegExp][] = [
      ["config:\n\thttpPort: 1\n", /^line 2: Tabs are not allowed as indentation\.$/],
      ["config:\n  httpPort: 1\n  httpPort: 2\n", /^line 3: Map keys must be unique\.$/],
      ["config:\n  owner: *nobody\n", /^line 2: owner is an alias without/],
      [Buffer.from("config:\n  owner: Müller\n", "latin1"), /^line 2: not valid UTF-8/],
      [Buffer.from("\ufeffconfig: {}\n", "utf16le"), /^line 1: not valid UTF-8/],
      ["config:\n  owner: a\0b\n", /^line 2: a control character/],
    ];
    for (const [text, message] of cases) assert.match(mistakes(text).join("\n"), message);
  });

  it("has all its mistakes in one message", () => {
    const folder = mkdtempSync(join(tmpdir(), "stack-"));
    const file = join(folder, "Pulumi.any.yaml");
    writeFileSync(file, "config:\n  requestLimit: .inf\n  htpPort: 1\n");
    const keys = "config:\n  store:requestLimit: { type: integer }\n";
    try {
      assert.throws(
        () => checkStackFile(parseProject(folder, `name: store\n${keys}`), { name: "any", file }),
        /^CliError: Pulumi\.any\.yaml, line 2: requestLimit is \.inf.*\n {2}Pulumi\.any\.yaml, line 3: there is no key htpPort/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
