import { parse, scan } from "libpg-query";
import type {
  AlterTableCmd,
  AlterTableStmt,
  ColumnDef,
  Constraint,
  Node,
  RangeVar,
  WithClause,
} from "libpg-query";

/**
 * A statement that may break the previous release, which runs on the new schema during a rollout and after a rollback, or that keeps it from
 * writing while the statement reads or rewrites a whole table.
 */
export interface BreakingChange {
  /** Line of the statement's first word. */
  readonly line: number;
  readonly why: string;
}

/** Start of a comment, before or in a statement, that explains why the statement doesn't break the previous release. */
export const OVERRIDE_COMMENT = "-- Safe for the release before: ";

/**
 * Finds the statements of a migration that may break the previous release. Only statements that are known to be harmless are accepted:
 * new tables and any changes of them, new columns that an INSERT can omit and that need no rewrite of the table, indexes without a
 * constraint that are built CONCURRENTLY. A statement with an OVERRIDE_COMMENT is accepted too.
 *
 * @throws SqlError if PostgreSQL's parser rejects the migration.
 */
export async function breakingChanges(sql: string): Promise<BreakingChange[]> {
  const migration = new Migration();
  const statements = await statementsOf(sql);
  return statements.flatMap(({ line, overridden, node }) => {
    const reasons = migration.reasonsAgainst(node);
    return overridden ? [] : reasons.map((why) => ({ line, why }));
  });
}

/** The tables and columns that a migration has created so far. The previous release doesn't use them. */
class Migration {
  private readonly tables = new Set<string>();
  /** `table.column` */
  private readonly columns = new Set<string>();
  /** Other tables, which stay locked until the migration ends. */
  private readonly locked = new Set<string>();

  /** Returns the reasons why a statement may break the previous release. Empty if it can't. */
  reasonsAgainst(node: Node): string[] {
    if ("CreateStmt" in node) return this.create(node.CreateStmt.relation);
    if ("CreateTableAsStmt" in node) return this.create(node.CreateTableAsStmt.into?.rel);
    if ("AlterTableStmt" in node) return this.alterTable(node.AlterTableStmt);
    if ("IndexStmt" in node) {
      const { unique, relation, concurrent } = node.IndexStmt;
      if (this.isNew(relation)) return [];
      if (unique)
        return [
          `a unique index on ${nameOf(relation)} refuses rows that the previous release writes`,
        ];
      return concurrent
        ? []
        : [
            `the previous release can't write ${nameOf(relation)} while the index is built: use CREATE INDEX CONCURRENTLY, in a ` +
              "migration of its own",
          ];
    }
    if ("CreateTrigStmt" in node) {
      const { relation } = node.CreateTrigStmt;
      if (this.isNew(relation)) return [];
      return [`a trigger on ${nameOf(relation)} changes what the previous release writes`];
    }
    if ("InsertStmt" in node) {
      const { relation, withClause } = node.InsertStmt;
      return [...this.write(relation, "new rows in"), ...this.reasonsAgainstParts(withClause)];
    }
    if ("UpdateStmt" in node) {
      const { relation, targetList = [], withClause } = node.UpdateStmt;
      const onlyNew = targetList.every(
        (target) => "ResTarget" in target && this.isNewColumn(relation, target.ResTarget.name),
      );
      return [
        ...(onlyNew ? [] : this.write(relation, "other values in")),
        ...this.reasonsAgainstParts(withClause),
      ];
    }
    if ("DeleteStmt" in node) {
      const { relation, withClause } = node.DeleteStmt;
      return [...this.write(relation, "fewer rows in"), ...this.reasonsAgainstParts(withClause)];
    }
    if ("SelectStmt" in node) return this.reasonsAgainstParts(node.SelectStmt.withClause);
    if ("CreateFunctionStmt" in node && !node.CreateFunctionStmt.replace) return [];
    if ("ViewStmt" in node && !node.ViewStmt.replace) return [];
    if ("VariableSetStmt" in node && node.VariableSetStmt.is_local) return [];
    if ("RenameStmt" in node) return ["the previous release uses the name that is renamed"];
    if ("DropStmt" in node) return ["the previous release may use what is dropped"];
    const [kind = "it"] = Object.keys(node);
    return harmless.has(kind)
      ? []
      : [`the check doesn't know what a statement of this kind does (${kind})`];
  }

  private reasonsAgainstParts(clause: WithClause | undefined): string[] {
    return (clause?.ctes ?? []).flatMap((part) =>
      "CommonTableExpr" in part && part.CommonTableExpr.ctequery
        ? this.reasonsAgainst(part.CommonTableExpr.ctequery)
        : [],
    );
  }

  private alterTable({ relation, cmds = [], objtype }: AlterTableStmt): string[] {
    if (objtype !== "OBJECT_TABLE")
      return [`the check doesn't know what altering ${nameOf(relation)} does`];
    if (this.isNew(relation)) return [];
    const commands = cmds.flatMap((cmd) => ("AlterTableCmd" in cmd ? [cmd.AlterTableCmd] : []));
    // All commands take effect together, whatever their order.
    for (const { subtype, def } of commands) {
      if (subtype === "AT_AddColumn" && def && "ColumnDef" in def)
        this.columns.add(`${nameOf(relation)}.${def.ColumnDef.colname}`);
    }
    const found = commands.flatMap((command) => this.alterTableBy(relation, command));
    this.locked.add(nameOf(relation));
    return found;
  }

  private alterTableBy(relation: RangeVar | undefined, command: AlterTableCmd): string[] {
    const { subtype = "AT_AddColumn", name, def } = command;
    if (subtype === "AT_ValidateConstraint" && this.locked.has(nameOf(relation)))
      return [`${waits(relation)} all rows are checked: validate ${name} in the next migration`];
    if (harmlessToTables.has(subtype)) return [];
    if (subtype === "AT_AddColumn" && def && "ColumnDef" in def)
      return this.addColumn(relation, def.ColumnDef);
    if (subtype === "AT_AddConstraint" && def && "Constraint" in def)
      return this.addConstraint(relation, def.Constraint);
    if (name !== undefined && this.isNewColumn(relation, name)) return [];
    return [
      `${reasons[subtype] ?? `the check doesn't know what ${subtype} does`} (${name ?? nameOf(relation)})`,
    ];
  }

  private addColumn(relation: RangeVar | undefined, column: ColumnDef): string[] {
    const { colname, constraints = [] } = column;
    const all = constraints.flatMap((node) => ("Constraint" in node ? [node.Constraint] : []));
    const has = (...types: readonly Constraint["contype"][]) =>
      all.some(({ contype }) => types.includes(contype));
    const filled = has("CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED");
    const rewrites =
      has("CONSTR_IDENTITY", "CONSTR_GENERATED") ||
      isSerial(column) ||
      all.some(({ contype, raw_expr }) => contype === "CONSTR_DEFAULT" && isVolatile(raw_expr));
    return [
      ...(rewrites
        ? [
            `${waits(relation)} the table is rewritten, because ${colname} differs in each row: add it without a DEFAULT, and let the ` +
              "service fill it",
          ]
        : []),
      ...(has("CONSTR_NOTNULL", "CONSTR_PRIMARY") && !filled
        ? [`the previous release leaves out ${colname}, which is NOT NULL and has no DEFAULT`]
        : []),
      ...(has("CONSTR_UNIQUE", "CONSTR_PRIMARY") && has("CONSTR_DEFAULT")
        ? [`the previous release leaves out ${colname}, and its DEFAULT must be UNIQUE`]
        : []),
      ...all
        .filter(({ contype }) => contype === "CONSTR_CHECK")
        .flatMap((check) => this.addConstraint(relation, check)),
    ];
  }

  /** Handles a new constraint. Also one that is NOT VALID applies to all rows written from now on. */
  private addConstraint(relation: RangeVar | undefined, constraint: Constraint): string[] {
    const { contype, conname, raw_expr, fk_attrs, keys, skip_validation } = constraint;
    const columns =
      contype === "CONSTR_CHECK" ? columnsIn(raw_expr) : namesIn(fk_attrs ?? keys ?? []);
    const isNew = columns.every((column) => this.isNewColumn(relation, column));
    // The previous release omits new columns, so they get NULL or their DEFAULT, which the existing rows have shown to be valid.
    const refusesNothing = contype === "CONSTR_CHECK" || contype === "CONSTR_FOREIGN";
    if (isNew && refusesNothing && columns.length > 0) {
      if (skip_validation) return [];
      return [
        `${waits(relation)} all rows are checked: add the constraint ${conname ?? ""} NOT VALID, and validate it in the next migration`,
      ];
    }
    return [
      `the constraint ${conname ?? `on ${nameOf(relation)}`} refuses rows that the previous release writes`,
    ];
  }

  private create(relation: RangeVar | undefined): string[] {
    this.tables.add(nameOf(relation));
    return [];
  }

  private write(relation: RangeVar | undefined, what: string): string[] {
    return this.isNew(relation)
      ? []
      : [`the previous release doesn't expect ${what} ${nameOf(relation)}`];
  }

  private isNew(relation: RangeVar | undefined): boolean {
    return this.tables.has(nameOf(relation));
  }

  private isNewColumn(relation: RangeVar | undefined, column: string | undefined): boolean {
    return this.columns.has(`${nameOf(relation)}.${column ?? ""}`);
  }
}

function waits(relation: RangeVar | undefined): string {
  return `the previous release can't use ${nameOf(relation)} while`;
}

function isSerial({ typeName }: ColumnDef): boolean {
  return /^(small|big)?serial[248]?$/.test(namesIn(typeName?.names ?? []).at(-1) ?? "");
}

/** PostgreSQL evaluates a DEFAULT of constants and of the transaction's time once, and any other one for each row. */
function isVolatile(node: unknown): boolean {
  if (typeof node !== "object" || node === null) return false;
  return Object.entries(node).some(([key, value]: [string, unknown]) => {
    if (key !== "FuncCall") return isVolatile(value);
    const { funcname = [], args } = value as { funcname?: Node[]; args?: unknown };
    return namesIn(funcname).at(-1) !== "now" || isVolatile(args);
  });
}

const harmless = new Set([
  "CommentStmt",
  "CompositeTypeStmt",
  "CreateDomainStmt",
  "CreateEnumStmt",
  "CreateExtensionStmt",
  "CreateSchemaStmt",
  "CreateSeqStmt",
  "CreateStatsStmt",
  "LockStmt",
]);

const harmlessToTables = new Set([
  "AT_ResetRelOptions",
  "AT_SetCompression",
  "AT_SetOptions",
  "AT_SetRelOptions",
  "AT_SetStatistics",
  "AT_SetStorage",
  "AT_ValidateConstraint",
]);

const reasons: Readonly<Record<string, string>> = {
  AT_AlterColumnType: "the previous release reads and writes values of the former type",
  AT_ColumnDefault: "the previous release leaves out the column, whose default changes",
  AT_DropColumn: "the previous release reads and writes the column that is dropped",
  AT_DropConstraint: "the previous release may rely on the constraint, for example in ON CONFLICT",
  AT_DropNotNull: "the previous release reads NULL in a column that had none",
  AT_SetNotNull: "the previous release may write NULL",
};

interface Statement {
  readonly node: Node;
  readonly line: number;
  readonly overridden: boolean;
}

async function statementsOf(sql: string): Promise<Statement[]> {
  // The parser's positions are in bytes.
  const bytes = Buffer.from(sql);
  const { tokens } = await scan(sql);
  const isComment = ({ tokenName }: { tokenName: string }) => /^(SQL|C)_COMMENT$/.test(tokenName);
  const { stmts = [] } = await parse(sql);
  let after = 0;
  return stmts.flatMap(({ stmt, stmt_location = 0, stmt_len = 0 }) => {
    const end = stmt_len === 0 ? bytes.length : stmt_location + stmt_len;
    // A comment after a statement on its last line belongs to that statement.
    const lineEnd = bytes.indexOf("\n", end);
    const behind = tokens.filter(({ start, text }) => start >= end && text !== ";");
    const next = behind.find(
      (token) => !isComment(token) || (lineEnd >= 0 && token.start > lineEnd),
    );
    const own = tokens.filter(
      ({ start }) => start >= after && start < (next?.start ?? bytes.length),
    );
    after = next?.start ?? bytes.length;
    const first = own.find((token) => !isComment(token) && token.text !== ";")?.start ?? 0;
    const overridden = own.some(
      (token) =>
        isComment(token) &&
        token.text.startsWith(OVERRIDE_COMMENT) &&
        /\w/.test(token.text.slice(OVERRIDE_COMMENT.length)),
    );
    const line = bytes.subarray(0, first).toString().split("\n").length;
    return stmt ? [{ node: stmt, line, overridden }] : [];
  });
}

function nameOf(relation: RangeVar | undefined): string {
  const { schemaname, relname = "" } = relation ?? {};
  return schemaname === undefined ? relname : `${schemaname}.${relname}`;
}

/** Returns the names of all columns in an expression. */
function columnsIn(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([key, value]: [string, unknown]) =>
    key === "ColumnRef"
      ? namesIn((value as { fields?: Node[] }).fields ?? []).slice(-1)
      : columnsIn(value),
  );
}

function namesIn(nodes: readonly Node[]): string[] {
  return nodes.flatMap((node) => ("String" in node ? [node.String.sval ?? ""] : []));
}
