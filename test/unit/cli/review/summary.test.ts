import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBase } from "@store/cli/review/runReview";
import { summarize } from "@store/cli/review/summarize";
import {
  labelsOf,
  MARKDOWN_LIMIT,
  parseSummary,
  readMarker,
  type Summary,
} from "@store/cli/review/summary";
import { CliError } from "@store/docker/cliError";
import { previewEvents, reviewOf, summaryOf, type TestStep } from "./reviews";

const CONTAINER = "docker:index/container:Container";
const UNCHANGED: TestStep = { op: "same", type: CONTAINER, name: "orders-0" };

describe("summary of a preview", () => {
  it("is read again from its JSON", () => {
    const summary = summaryOf({ events: manySteps(3) });
    assert.deepEqual(parseSummary(JSON.stringify(summary), "x"), summary);
  });

  it("has texts that can be made again from its facts, for a reader that doesn't trust them", () => {
    const summary = summaryOf({ events: manySteps(3) });
    const { review } = parseSummary(JSON.stringify({ ...summary, markdown: "# other" }), "x");
    assert.deepEqual(summarize(review), summary);
  });

  it("has the stack and the hash of its body in the first line", () => {
    const { markdown, hash } = summaryOf({ events: manySteps(1) });
    assert.deepEqual(readMarker(markdown), { stack: "staging", hash });
    assert.equal(readMarker(`quoted: ${markdown}`), undefined);
  });

  it("has the same hash for the same changes in another order of events and at another time", () => {
    const [first, second] = [manySteps(5), manySteps(5)].map((events) =>
      events.map((event) => ({ ...event, timestamp: Math.random() })),
    );
    assert.equal(summaryOf({ events: first }).hash, summaryOf({ events: second }).hash);
    assert.equal(summaryOf({ events: first }).hash, summaryOf({ events: second?.reverse() }).hash);
    assert.notEqual(summaryOf({ events: first }).hash, summaryOf({ events: manySteps(6) }).hash);
  });

  it("cuts the steps of each service until a comment takes it, and keeps the whole list", () => {
    const summary = summaryOf({ events: manySteps(2000) });
    assert.ok(summary.markdown.length <= MARKDOWN_LIMIT);
    assert.ok(summary.cut > 0);
    assert.match(summary.markdown, /Every step \(2000 of 2001 resources/);
    assert.match(summary.markdown, /more steps of other resources/);
    assert.match(summary.full, /resource-1999\b/);
  });

  it("stays under the limit with hostile names, and keeps the dangers", () => {
    const name = "|".repeat(400);
    const events = previewEvents(
      UNCHANGED,
      ...Array.from({ length: 500 }, (_, index) => ({
        ...{ op: "delete", type: "docker:index/volume:Volume", before: {} },
        name: `${index}${name}`,
      })),
    );
    const { markdown, verdict } = summaryOf({ events });
    assert.ok(markdown.length <= MARKDOWN_LIMIT);
    assert.equal(verdict, "data at risk");
    assert.match(markdown, /Data at risk: <code>0/);
    assert.equal(parseSummary(JSON.stringify(summaryOf({ events })), "x").verdict, verdict);
  });

  it("has the address of a DNS record, and says that a name leads nowhere where its record is deleted", () => {
    const record = { type: "azure-native:dns:RecordSet", name: "host-shop.example.org" };
    const inputs = { ttl: 60, aRecords: [{ ipv4Address: "203.0.113.80" }] };
    const rowOf = (step: Partial<TestStep>): string =>
      summaryOf({ events: previewEvents(UNCHANGED, { op: "", ...record, ...step }) }).markdown;
    assert.match(
      rowOf({ op: "create", after: inputs }),
      /DNS record `host-shop\.example\.org` \| create \| .*address: `203\.0\.113\.80`.* \| none \|/,
    );
    assert.match(
      rowOf({ op: "delete", before: inputs }),
      /\| \*\*delete\*\* \| .* \| \*\*the name leads nowhere\*\* \|/,
    );
  });

  it("has a label that GitHub takes, one of the stack's", () => {
    for (const stack of ["staging", "s".repeat(100)]) {
      const { label } = summaryOf({ stack });
      assert.ok(label.length <= 50);
      assert.ok(labelsOf(stack).includes(label));
    }
  });

  for (const [title, text, message] of [
    ["something else", "hello", /is not the summary of a preview: it isn't JSON/],
    ["another JSON document", "{}", /is wrong/],
    ["null", "null", /is wrong/],
    ["another version", JSON.stringify({ schema: 2 }), /schema is 2, this version reads 1/],
    ["an unknown field", withField({ extra: 1 }), /extra is wrong/],
    ["a stack with Markdown in its name", withField({ stack: "a](b)" }), /stack is wrong/],
    ["a comment that is too long", withField({ markdown: "x".repeat(60_001) }), /markdown/],
  ] as const) {
    it(`is refused with one message: ${title}`, () => {
      assert.throws(() => parseSummary(text, "base.json"), isError(message));
    });
  }
});

describe("--base", () => {
  const folder = mkdtempSync(join(tmpdir(), "store-base-"));
  after(() => rmSync(folder, { recursive: true }));

  it("refuses a file that doesn't exist, or is of another stack", () => {
    const file = join(folder, "base.json");
    assert.throws(() => readBase(file, "staging"), isError(/can't be read/));
    writeFileSync(file, JSON.stringify(summaryOf({ stack: "dev" })));
    assert.throws(
      () => readBase(file, "staging"),
      isError(/preview of the stack dev, not of staging/),
    );
    assert.equal(readBase(file, "dev").stack, "dev");
  });

  it("lists the steps that the base has, too, apart", () => {
    const drift: TestStep = { op: "create", type: CONTAINER, name: "shipping-0", after: {} };
    const own: TestStep = { op: "create", type: CONTAINER, name: "inventory-0", after: {} };
    const base = reviewOf({ events: previewEvents(UNCHANGED, drift) });
    const { markdown, review } = summaryOf({ events: previewEvents(UNCHANGED, drift, own), base });
    assert.match(
      markdown,
      /Not from this request<\/b>: 1 change of staging is due on the base, too/,
    );
    assert.match(markdown, /Every step \(1 of 3 resources: 1 created\)/);
    assert.deepEqual(
      review.steps.map(({ name, inherited = false }) => [name, inherited]),
      [
        ["inventory-0", false],
        ["shipping-0", true],
      ],
    );
  });
});

function manySteps(count: number) {
  return previewEvents(
    UNCHANGED,
    ...Array.from({ length: count }, (_, index) => ({
      ...{ op: "create", type: "command:local:Command", name: `resource-${index}`, after: {} },
    })),
  );
}

function withField(field: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...summaryOf({}), ...field } satisfies Partial<Summary>);
}

function isError(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof CliError);
    assert.match(error.summary, message);
    assert.doesNotMatch(error.summary, /\n/);
    return true;
  };
}
