import assert from "node:assert/strict";
import { declaredArgs } from "../../../components/image/context/dockerfile";

describe("declaredArgs", () => {
  const all = Object.fromEntries(Array.from("ABCDEFG").map((name) => [name, name.toLowerCase()]));
  const declared = (dockerfile: string): string =>
    Object.keys(declaredArgs(dockerfile, all)).join("");

  it("finds all names of an ARG, before and after FROM", () => {
    assert.equal(declared("ARG A B=1\nFROM x\narg C\nRUN echo ARG D\n"), "ABC");
  });

  it("reads quoted values, continued lines and comments as Docker does", () => {
    assert.equal(declared(`ARG A="B x" C='D y' E=F\\ G\n`), "ACE");
    assert.equal(declared("ARG A=1 \\\n  # a comment\n\n  B\\\n\nC\n# ARG D\n"), "ABC");
    assert.equal(declared("# escape=`\nARG A `\n  B\nRUN x\\\nARG C\n"), "ABC");
  });

  it("ignores arguments that the Dockerfile doesn't declare, except predefined ones", () => {
    const args = { A: "1", HTTPS_PROXY: "http://proxy", BUILDKIT_INLINE_CACHE: "1" };
    assert.deepEqual(Object.keys(declaredArgs("FROM x\n", args)), [
      "HTTPS_PROXY",
      "BUILDKIT_INLINE_CACHE",
    ]);
  });
});
