import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { EngineStderr } from "@store/cli/engine/engineStderr";

describe("EngineStderr", () => {
  const run = async (exitCode: number, ...chunks: readonly string[]) => {
    const stream = new PassThrough();
    const printed: string[] = [];
    const stderr = new EngineStderr(stream, (text) => printed.push(text));
    for (const chunk of chunks) stream.write(chunk);
    await new Promise((resolve) => stream.end(resolve));
    stderr.end(exitCode);
    return { printed: printed.join(""), text: stderr.text };
  };

  it("passes warnings on, and leaves the final error to the CLI's own message", async () => {
    const { printed, text } = await run(255, "warning: a\nerr", "or: b\n  more\n");
    assert.equal(printed, "warning: a\n");
    assert.equal(text, "warning: a\nerror: b\n  more\n");
  });

  it("passes an error on after a run that didn't fail, and a last line without an end", async () => {
    assert.equal(
      (await run(0, "\u001b[31merror: \u001b[0mb\nmore")).printed,
      "\u001b[31merror: \u001b[0mb\nmore",
    );
    assert.equal((await run(1, "incomplete")).printed, "incomplete");
  });
});
