import { type Node, parse, SqlError } from "libpg-query";
import type { Migration } from "../model/reviewModel";
import { shorten } from "../model/shorten";
import { breakingChanges } from "./breaking";

/** A migration that the head has and the base doesn't have in this form. */
export interface ChangedMigration {
  readonly service: string;
  /** Path in the repository. */
  readonly file: string;
  readonly change: "added" | "changed" | "deleted";
  /** Content in the head; undefined if it is deleted. */
  readonly sql?: string;
}

/** Maximum number of effects that are listed. */
const EFFECTS = 5;

/**
 * Judges whether the release before can live with a migration: it runs beside the new one during a rollout and again after a rollback.
 * Only statements that are known to be harmless make it "yes".
 */
export async function reviewMigration(changed: ChangedMigration): Promise<Migration> {
  const { service, file, change, sql } = changed;
  const result = (compatible: Migration["compatible"], effects: readonly string[]): Migration => ({
    service: shorten(service),
    file: shorten(file),
    compatible,
    effects: limited(effects),
  });
  if (change === "deleted") return result("no", ["deleted, but databases have applied it"]);
  if (change === "changed") return result("no", ["edited, but databases have applied it"]);
  try {
    const breaking = await breakingChanges(sql ?? "");
    if (breaking.length === 0) return result("yes", await effectsOf(sql ?? ""));
    const unknown = breaking.every(({ why }) => /^the check doesn't know/.test(why));
    return result(
      unknown ? "unknown" : "no",
      breaking.map(({ line, why }) => `line ${line}: ${why}`),
    );
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return result("unknown", ["PostgreSQL's parser refuses it"]);
  }
}

function limited(effects: readonly string[]): string[] {
  const shown = effects.slice(0, EFFECTS).map((effect) => shorten(effect));
  const more = effects.length - shown.length;
  return more > 0 ? [...shown, `and ${more} more`] : shown;
}

/** Returns the effects of a migration in words, one for each statement or changed column. */
async function effectsOf(sql: string): Promise<string[]> {
  const { stmts = [] } = await parse(sql);
  return [...new Set(stmts.flatMap(({ stmt }) => (stmt === undefined ? [] : effectOf(stmt))))];
}

function effectOf(node: Node): string[] {
  if ("CreateStmt" in node) return [`creates the table ${node.CreateStmt.relation?.relname ?? ""}`];
  if ("IndexStmt" in node) return [`creates an index on ${node.IndexStmt.relation?.relname ?? ""}`];
  if ("AlterTableStmt" in node) {
    const { relation, cmds = [] } = node.AlterTableStmt;
    return cmds.map((cmd) => {
      const column =
        "AlterTableCmd" in cmd && cmd.AlterTableCmd.def && "ColumnDef" in cmd.AlterTableCmd.def
          ? cmd.AlterTableCmd.def.ColumnDef.colname
          : undefined;
      return column === undefined
        ? `changes the table ${relation?.relname ?? ""}`
        : `adds the column ${column} to ${relation?.relname ?? ""}`;
    });
  }
  return ["has other statements"];
}
