import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import ts from "typescript";
import { contentTag } from "../../../components/image/contentTag";

const REPOSITORY = join(__dirname, "../../..");
const SERVICES = ["billing", "inventory", "orders", "shipping", "storefront"];

describe("contracts", function () {
  this.timeout(180_000);
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
    runScript(folder, "documents");
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

  for (const [caller, audience, change] of [
    ["orders", "internal", requireNumericSkus],
    ["storefront", "public", makeAmountsText],
  ] as const) {
    it(`break the type check of ${caller} where a type that it uses changes`, () => {
      const documents = join(folder, "openapi");
      const types = join(folder, "types");
      cpSync(join(REPOSITORY, "packages/contracts/openapi"), documents, { recursive: true });
      runScript(REPOSITORY, "types", documents, types);
      assert.deepEqual(typeErrors(caller, types), []);

      edit(join(documents, audience, "inventory.json"), change);
      runScript(REPOSITORY, "types", documents, types);
      assert.notEqual(typeErrors(caller, types).length, 0);
    });
  }
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
  for (const part of ["services", "packages/contracts", "package.json"]) {
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

/** Type-checks the sources of a service against other types of the contracts. */
function typeErrors(service: string, types: string): string[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(REPOSITORY, "tsconfig.services.json"),
    { paths: { "@store/contracts/*": [`${types}/*.d.ts`] } },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  );
  assert.ok(config);
  const sources = join(REPOSITORY, "services", service, "src");
  const program = ts.createProgram(
    config.fileNames.filter((file) => file.startsWith(`${sources}/`)),
    config.options,
  );
  return ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file?.fileName.startsWith(sources))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}
