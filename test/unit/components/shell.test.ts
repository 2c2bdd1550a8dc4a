import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { fillPlaceholders, inSh } from "../../../components/shell/shell";

describe("inSh", () => {
  const script = `x=$(cat); printf '%s|' "$x" "it's" 'a\\b' 'c\\\\d' "\\$HOME" 'line 1\nline 2'`;
  const expected = "input|it's|a\\b|c\\\\d|$HOME|line 1\nline 2|";

  for (const shell of ["sh", "dash", "bash", "zsh", "fish"]) {
    it(`runs the same script for a user with the login shell ${shell}`, function () {
      if (spawnSync(shell, ["-c", "true"]).status !== 0) this.skip();
      const options = { input: "input", encoding: "utf8" } as const;
      assert.equal(execFileSync(shell, ["-c", inSh(script)], options), expected);
    });
  }

  it("is read by fish, which may not be installed here, as by sh", () => {
    assert.equal(fishWords(inSh(script)), `sh -c ${script}`);
  });
});

describe("fillPlaceholders", () => {
  it("replaces each placeholder by its value, which may contain others", () => {
    assert.equal(fillPlaceholders("{{a}} {{b}} {{a}}", { a: "$&", b: "{{a}}" }), "$& {{a}} $&");
  });

  it("refuses a placeholder without a value", () => {
    assert.throws(() => fillPlaceholders("{{a}}", { b: "" }), /\{\{a\}\}/);
  });
});

/** Removes quotation as fish does. @see https://fishshell.com/docs/current/language.html#quotes */
function fishWords(text: string): string {
  return text.replace(
    /'((?:\\['\\]|[^'])*)'|\\(.)/g,
    (_match, quoted: string | undefined, escaped: string | undefined) =>
      quoted?.replace(/\\(['\\])/g, "$1") ?? escaped ?? "",
  );
}
