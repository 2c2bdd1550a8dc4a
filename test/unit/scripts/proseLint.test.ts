import assert from "node:assert/strict";
import { checkPage, checkSource, checkTitles } from "../../../scripts/proseLint";

const problemsOf = (text: string): string[] =>
  checkSource("file.ts", text).map(({ line, problem }) => `${line} ${problem.split(";")[0] ?? ""}`);

describe("prose lint", () => {
  it("reports docstrings that open with a question word or a preposition", () => {
    assert.deepEqual(problemsOf("/** Whether it is up. */"), [
      '1 a docstring opens with "Whether"',
    ]);
    assert.deepEqual(problemsOf("/**\n * By whom it is held.\n */").length > 0, true);
  });

  it("accepts docstrings that open with a noun phrase or a verb", () => {
    assert.deepEqual(problemsOf("/** Returns the port. */\n/** Timeout in milliseconds. */"), []);
  });

  it("looks at the first sentence of a docstring only", () => {
    assert.deepEqual(
      problemsOf("/**\n * Names the host.\n * Where there is none, fails.\n */"),
      [],
    );
  });

  it("reports words of the glossary in identifiers, whole or as a part", () => {
    assert.equal(problemsOf("const standIn = 1;").length, 1);
    assert.equal(problemsOf("const theStandIn = 1;").length, 1);
    assert.deepEqual(problemsOf("const outdoors = 1; const firewall = 2;"), []);
  });

  it("reports words of the glossary in comments, messages and pages", () => {
    assert.equal(problemsOf("// Mend it.").length, 1);
    assert.equal(problemsOf('throw new Error("Mend it.");').length, 1);
    assert.equal(checkPage("page.md", "Two verbs.\n").length, 1);
  });

  it("leaves code in pages alone", () => {
    assert.deepEqual(checkPage("page.md", "The key `verbs` stays.\n"), []);
  });

  it("reports commit titles of more than 72 characters", () => {
    assert.deepEqual(checkTitles(["area: short", "x".repeat(73), "y".repeat(72)]), [
      "x".repeat(73),
    ]);
  });
});
