import assert from "node:assert/strict";
import { code, fence, plainText } from "@store/cli/review/render/escape";
import { previewEvents, summaryOf } from "./reviews";

/** Texts that GitHub would turn into something else. */
const HOSTILE = [
  "@octocat and @org/team",
  "#123, GH-123 and org/repo#7",
  "https://evil.example/x and www.evil.example",
  "a | b\n| c |",
  "`code` ```fence``` ~~~",
  "<img src=x onerror=alert(1)> </details> -->",
  "[text](https://evil.example) ![image](x)",
  "**bold** _it_ # heading",
  "\r\n## heading\n- item",
  "\u202egnp.exe \u0000 \ud800",
];

describe("escape", () => {
  for (const text of HOSTILE) {
    it(`leaves no Markdown, HTML, link or mention in ${JSON.stringify(text)}`, () => {
      for (const shown of [plainText(text), code(text)]) {
        const inCode = shown.startsWith("`") || shown.startsWith("<code>");
        const content = shown.replace(/^`(.*)`$|^<code>(.*)<\/code>$/, "$1$2");
        assert.doesNotMatch(content, /[\n\r`|<>\u202e\0\ud800]/);
        if (!inCode) {
          assert.doesNotMatch(decoded(content), /@[a-z]|#\d|GH-\d|:\/\/|www\./);
          assert.doesNotMatch(content, /&#\u200b|[*_[\]]|^\s*([-+>]|#+ )/);
        }
      }
    });
  }

  it("keeps names and values readable", () => {
    assert.equal(code("services/orders/src/main.ts"), "`services/orders/src/main.ts`");
    assert.equal(code("203.0.113.7/32"), "`203.0.113.7/32`");
    assert.equal(plainText("inventory-0"), "inventory-0");
  });

  it("ends no code block inside a line", () => {
    assert.equal(fence(["a ``` b"]), "````");
  });

  it("applies to every name of a resource, a service and a file", () => {
    for (const name of HOSTILE) {
      const path = `services/${name}`;
      const service = { name, tag: "1", routes: [] };
      const { markdown } = summaryOf({
        events: previewEvents(
          { op: "delete", type: "docker:index/volume:Volume", name, before: {}, protect: true },
          { op: "create", type: name, name: `${name}-0`, after: {} },
        ),
        head: { services: [{ ...service, files: { [path]: "1" } }] },
        refusal: { message: { summary: name, details: [name], hint: name }, dangers: [] },
        migrations: [{ service: name, file: name, compatible: "no", effects: [name] }],
      });
      const outsideCode = markdown
        .replace(/(`{3,})diff\n[^]*?\n\1/g, "")
        .replace(/<code>.*?<\/code>/g, "");
      assert.doesNotMatch(decoded(outsideCode), /@octocat|[^&]#123/);
      assert.doesNotMatch(outsideCode, /<img|^## heading|\u202e/m);
      const folds = [/<details>/g, /<\/details>/g].map((tag) => outsideCode.match(tag)?.length);
      assert.deepEqual(folds, [1, 1]);
    }
  });
});

/** Decodes entities, as GitHub does before it looks for mentions and links. */
function decoded(text: string): string {
  return text.replace(/&#(\d+);/g, (_, number) => String.fromCodePoint(Number(number)));
}
