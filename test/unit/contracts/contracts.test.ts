import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import ts from "typescript";
import { contentTag } from "../../../components/image/contentTag";

const REPOSITORY = join(__dirname, "../../..");
const CALLERS = ["orders", "storefront"] as const;
const SERVICES = ["billing", "inventory", "orders", "shipping", "storefront"];

describe("contracts", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "store-contracts-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("match the documents that the services publish", () => {
    runScript(REPOSITORY, "documents", "--check");
  });

  it("carry a changed description, which changes the image tag of its own service only", () => {
    copyWorkspaces(folder);
    const before = tags(folder);
    edit(join(folder, "services/inventory/src/schemas.ts"), (text) =>
      text.replace('description: "ISO 4217."', 'description: "A code of ISO 4217."'),
    );
    runScript(folder, "documents", "inventory");
    const document = readFileSync(
      join(folder, "packages/contracts/openapi/internal/inventory.json"),
      "utf8",
    );
    assert.match(document, /A code of ISO 4217\./);
    const after = tags(folder);
    assert.deepEqual(
      SERVICES.filter((service) => before[service] !== after[service]),
      ["inventory"],
    );
  });

  describe("with a changed type", () => {
    let generated: string;
    let original: readonly TypeMistake[];
    let changed: readonly TypeMistake[];

    // Done once for both callers, because each generation and each type check costs seconds.
    before("generate the types, change the documents, and generate again", () => {
      generated = mkdtempSync(join(tmpdir(), "store-contracts-"));
      const documents = join(generated, "openapi");
      cpSync(join(REPOSITORY, "packages/contracts/openapi"), documents, { recursive: true });
      runScript(REPOSITORY, "types", documents, join(generated, "types"));
      edit(join(documents, "internal/inventory.json"), requireNumericSkus);
      edit(join(documents, "public/inventory.json"), makeAmountsText);
      runScript(REPOSITORY, "types", documents, join(generated, "changed"));
      original = typeErrors(join(generated, "types"));
      changed = typeErrors(join(generated, "changed"));
    });
    after(() => {
      rmSync(generated, { recursive: true, force: true });
    });

    for (const caller of CALLERS) {
      it(`break the type check of ${caller}, which uses that type`, () => {
        const ofCaller = ({ service }: TypeMistake): boolean => service === caller;
        assert.deepEqual(original.filter(ofCaller), []);
        assert.notEqual(changed.filter(ofCaller).length, 0);
      });
    }
  });
});

/** Changes the query parameter by which orders requests products. */
function requireNumericSkus(document: string): string {
  const api = JSON.parse(document) as {
    paths: { "/internal/products": { get: { parameters: { name: string; schema: object }[] } } };
  };
  const { parameters } = api.paths["/internal/products"].get;
  const skus = parameters.find(({ name }) => name === "skus");
  assert.ok(skus);
  skus.schema = { type: "integer" };
  return JSON.stringify(api);
}

/** Changes the amounts of money, which the storefront formats. */
function makeAmountsText(document: string): string {
  return JSON.stringify(
    JSON.parse(document, (key, value: unknown) =>
      key === "amount" && typeof value === "object" ? { ...value, type: "string" } : value,
    ),
  );
}

/** Copies what the documents are generated from, with the installed npm packages linked. */
function copyWorkspaces(to: string): void {
  for (const part of ["services", "packages/contracts", "packages/kit", "package.json"]) {
    cpSync(join(REPOSITORY, part), join(to, part), {
      recursive: true,
      filter: (file) => basename(file) !== "node_modules",
    });
  }
  symlinkSync(join(REPOSITORY, "node_modules"), join(to, "node_modules"));
}

function tags(repository: string): Record<string, string> {
  return Object.fromEntries(
    SERVICES.map((service) => [
      service,
      contentTag({
        context: join(repository, "services", service),
        dockerfile: "Dockerfile",
        args: {},
      }),
    ]),
  );
}

function runScript(repository: string, script: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", `scripts/${script}.ts`, ...args],
    { cwd: join(repository, "packages/contracts"), encoding: "utf8" },
  );
  assert.equal(status, 0, stdout + stderr);
}

function edit(file: string, change: (text: string) => string): void {
  const text = readFileSync(file, "utf8");
  const changed = change(text);
  assert.notEqual(changed, text, `${file} is as it was`);
  writeFileSync(file, changed);
}

interface TypeMistake {
  readonly service: string;
  readonly message: string;
}

/** Type-checks the sources of the callers that import types of the contracts, against other types. */
function typeErrors(types: string): TypeMistake[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(REPOSITORY, "tsconfig.services.json"),
    { paths: { "@store/contracts/*": [`${types}/*.d.ts`] } },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  );
  assert.ok(config);
  const callerOf = (file: string): string | undefined =>
    CALLERS.find((caller) => file.startsWith(join(REPOSITORY, "services", caller, "src/")));
  const sources = config.fileNames.filter((file) => callerOf(file) !== undefined);
  const host = ts.createCompilerHost(config.options);
  const parse = host.getSourceFile.bind(host);
  host.getSourceFile = (file, ...options) => {
    const source = parsed.get(file) ?? parse(file, ...options);
    if (source !== undefined) parsed.set(file, source);
    return source;
  };
  const program = ts.createProgram(sources, config.options, host);
  return program.getSourceFiles().flatMap((file) => {
    const service = callerOf(file.fileName);
    if (service === undefined || !file.text.includes('"@store/contracts/')) return [];
    return program
      .getSemanticDiagnostics(file)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))
      .map((message) => ({ service, message }));
  });
}

/** Parsed files, most of which both type checks read. */
const parsed = new Map<string, ts.SourceFile>();
