import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { breakingChanges, OVERRIDE_COMMENT } from "@store/cli/review/migrations/breaking";

const SERVICES = join(__dirname, "../../../services");

/**
 * Accepted statements of migrations that are older than this check, by file and line, with the reason why they are safe. Applied
 * migrations can't be edited; newer ones have the reason in a comment.
 */
const ACCEPTED: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  "billing/src/migrations/0002-taking-payments.sql": {
    3: "the previous release only reads payments",
    20: "the previous release only reads payments",
  },
  "inventory/src/migrations/0002-reservations.sql": {
    2: "the previous release adds demo products and changes none",
  },
  "orders/src/migrations/0002-sagas.sql": {
    3: "stores were small when it was released",
    6: "the previous release writes the token and never reads it",
    9: "stores were small when it was released",
    10: "stores were small when it was released",
    41: "the trigger begins the saga of orders that the previous release places",
  },
  "shipping/src/migrations/0002-parcels.sql": {
    9: "stores were small when it was released",
  },
};

describe("backward compatibility of migrations", () => {
  const accepted: Readonly<Record<string, string>> = {
    "a new table and changes of it": `
      CREATE TABLE gifts (id uuid PRIMARY KEY, name text NOT NULL CHECK (name <> ''));
      ALTER TABLE gifts ADD COLUMN size integer NOT NULL, ADD CONSTRAINT small CHECK (size < 9);
      CREATE UNIQUE INDEX ON gifts (name);
      CREATE TRIGGER t AFTER INSERT ON gifts FOR EACH ROW EXECUTE FUNCTION f();
      INSERT INTO gifts SELECT id, 'none', 1 FROM orders;
      UPDATE gifts SET size = 2; DELETE FROM gifts`,
    "columns that an INSERT can omit": `
      ALTER TABLE orders ADD COLUMN gift text,
        ADD wrapped boolean NOT NULL DEFAULT false,
        ADD COLUMN wrapped_at timestamptz NOT NULL DEFAULT now(),
        ADD COLUMN papers text[] NOT NULL DEFAULT '{}'::text[],
        ADD COLUMN gift_of uuid REFERENCES customers`,
    "values of new columns": `
      ALTER TABLE orders ADD COLUMN gift text;
      UPDATE orders SET gift = 'none' WHERE status = 'pending';
      ALTER TABLE orders ALTER gift SET NOT NULL, ALTER gift DROP DEFAULT`,
    "constraints on new columns only": `
      ALTER TABLE orders ADD a uuid, ADD b timestamptz,
        ADD CONSTRAINT both_or_none CHECK ((a IS NULL) = (orders.b IS NULL)) NOT VALID`,
    "the validation of a constraint that an earlier migration has added":
      "ALTER TABLE orders VALIDATE CONSTRAINT both_or_none",
    "an index without a constraint": "CREATE INDEX CONCURRENTLY placed ON orders (placed_at)",
    "a function, a view, a comment and a limit": `
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DROP TABLE orders; END $$;
      CREATE VIEW v AS SELECT id FROM orders;
      COMMENT ON TABLE orders IS 'DROP TABLE orders';
      SET LOCAL statement_timeout = '1h'; SELECT 1`,
    "statements in comments and strings": `
      -- DROP TABLE orders;
      /* ALTER TABLE orders /* nested */ DROP COLUMN status; */
      CREATE TABLE notes (text text DEFAULT 'x''; DROP TABLE orders; --')`,
    "statements with an override comment": `
      -- No longer used.
      ${OVERRIDE_COMMENT}it has not been read since 3.1
      ALTER TABLE orders
        DROP COLUMN gift;
      ALTER TABLE orders DROP COLUMN wrapped; ${OVERRIDE_COMMENT}it has not been read since 3.1`,
    "an empty migration": "-- Nothing.\n",
  };
  for (const [description, sql] of Object.entries(accepted)) {
    it(`allows ${description}`, async () => assert.deepEqual(await breakingChanges(sql), []));
  }

  const refused: readonly (readonly [string, RegExp])[] = [
    ["ALTER TABLE orders ADD COLUMN x text NOT NULL", /leaves out x, which is NOT NULL/],
    ["ALTER TABLE orders\n  ADD x text -- DEFAULT 'a'\n  NOT\n  NULL", /leaves out x/],
    ["ALTER TABLE orders ADD x int PRIMARY KEY", /leaves out x/],
    ["ALTER TABLE orders ADD x int DEFAULT 1 UNIQUE", /must be UNIQUE/],
    [
      "ALTER TABLE orders ADD x text CHECK (x <> status)",
      /refuses rows that the previous release writes/,
    ],
    ["CREATE INDEX ON orders (placed_at)", /can't write orders while the index is built/],
    ["ALTER TABLE orders ADD a uuid DEFAULT gen_random_uuid()", /rewritten, because a differs/],
    ["ALTER TABLE orders ADD a timestamptz DEFAULT clock_timestamp()", /rewritten/],
    ["ALTER TABLE orders ADD a text DEFAULT 'x' || random()::text", /rewritten/],
    ["ALTER TABLE orders ADD a bigint GENERATED ALWAYS AS IDENTITY", /rewritten/],
    ["ALTER TABLE orders ADD a bigint GENERATED ALWAYS AS (total * 2) STORED", /rewritten/],
    ["ALTER TABLE orders ADD a bigserial", /rewritten/],
    ["ALTER TABLE orders ADD a int CHECK (a > 1)", /all rows are checked: add .* NOT VALID/],
    ["ALTER TABLE orders ADD a int, ADD CONSTRAINT c CHECK (a > 1)", /checked.* c NOT VALID/],
    [
      "ALTER TABLE orders ADD a int, ADD CONSTRAINT c CHECK (a > 1) NOT VALID; ALTER TABLE orders VALIDATE CONSTRAINT c",
      /validate c in the next migration/,
    ],
    ["ALTER TABLE orders DROP COLUMN status", /dropped \(status\)/],
    ["ALTER TABLE orders ADD y text, DROP IF EXISTS status", /dropped \(status\)/],
    ["ALTER TABLE orders RENAME COLUMN status TO state", /renamed/],
    ["ALTER TABLE orders RENAME TO purchases", /renamed/],
    ["ALTER TABLE orders SET SCHEMA old", /doesn't know/],
    ["DROP TABLE orders", /dropped/],
    ["SELECT 1; SELECT 2; DROP TABLE orders; SELECT 3", /dropped/],
    ["DROP INDEX orders_pkey", /dropped/],
    ["ALTER TABLE orders ALTER reason SET NOT NULL", /may write NULL \(reason\)/],
    ["ALTER TABLE orders ALTER status DROP NOT NULL", /reads NULL.* \(status\)/],
    ["ALTER TABLE orders ALTER total TYPE numeric", /former type \(total\)/],
    ["ALTER TABLE orders ALTER status DROP DEFAULT", /leaves out.* \(status\)/],
    ["ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 1)", /constraint c refuses/],
    ["ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 1) NOT VALID", /constraint c refuses/],
    ["ALTER TABLE orders ADD CONSTRAINT u UNIQUE (total)", /constraint u refuses/],
    ["ALTER TABLE orders ADD FOREIGN KEY (reason) REFERENCES reasons", /refuses/],
    ["ALTER TABLE orders DROP CONSTRAINT orders_total_check", /ON CONFLICT/],
    ["CREATE UNIQUE INDEX ON orders (total)", /unique index on orders/],
    ["CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f()", /trigger/],
    ["CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'", /doesn't know/],
    ["DO $$ BEGIN PERFORM 1; END $$", /doesn't know/],
    ["ALTER TYPE mood ADD VALUE 'fine'", /doesn't know/],
    ["UPDATE orders SET status = 'cancelled'", /other values in orders/],
    ["WITH gone AS (DELETE FROM orders RETURNING 1) SELECT * FROM gone", /fewer rows in orders/],
    ["TRUNCATE orders", /doesn't know/],
    ["CREATE TABLE a.orders (); DROP TABLE b.orders", /dropped/],
    ["CREATE TABLE a.orders (); ALTER TABLE orders DROP COLUMN status", /dropped/],
    // Override comments that don't apply to the statement or give no reason.
    [`SELECT '${OVERRIDE_COMMENT}really'; DROP TABLE orders`, /dropped/],
    [`${OVERRIDE_COMMENT}\nDROP TABLE orders`, /dropped/],
    [`SELECT 1; ${OVERRIDE_COMMENT}of the one before\nDROP TABLE orders`, /dropped/],
    [`DROP TABLE orders;\n${OVERRIDE_COMMENT}comes too late`, /dropped/],
  ];
  for (const [sql, why] of refused) {
    it(`rejects ${sql.replaceAll("\n", " ")}`, async () => {
      const [found, ...more] = await breakingChanges(sql);
      assert.match(found?.why ?? "", why);
      assert.deepEqual(more, []);
    });
  }

  it("reports the line of the statement, whatever precedes it", async () => {
    const sql = "-- É\n\nSELECT 'ü\n'; /* –\n */ SELECT 1;\n\n  -- why\n  DROP TABLE orders";
    assert.deepEqual(
      (await breakingChanges(sql)).map(({ line }) => line),
      [8],
    );
  });

  it("holds for all services' migrations", async () => {
    const folders = readdirSync(SERVICES)
      .map((service) => `${service}/src/migrations`)
      .filter((folder) => existsSync(join(SERVICES, folder)));
    const files = folders.flatMap((folder) =>
      readdirSync(join(SERVICES, folder)).map((name) => `${folder}/${name}`),
    );
    assert.ok(files.length >= 9, "found the migrations");
    const problems: string[] = [];
    const reported = new Set<string>();
    for (const file of files) {
      const sql = readFileSync(join(SERVICES, file), "utf8");
      for (const { line, why } of await breakingChanges(sql)) {
        if (ACCEPTED[file]?.[line] === undefined) problems.push(`services/${file}:${line}: ${why}`);
        reported.add(`${file}:${line}`);
      }
    }
    assert.deepEqual(
      problems,
      [],
      "The previous release must work on the new schema. Add now and remove in a later release, or explain in a comment before the " +
        `statement why it is safe: ${OVERRIDE_COMMENT}REASON`,
    );
    const listed = Object.entries(ACCEPTED).flatMap(([file, lines]) =>
      Object.keys(lines).map((line) => `${file}:${line}`),
    );
    assert.deepEqual(listed.sort(), [...reported].sort());
  });
});
