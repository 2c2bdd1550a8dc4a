import assert from "node:assert/strict";
import { resolve } from "node:path";
import { ESLint } from "eslint";

const REPOSITORY = resolve(__dirname, "../..");

describe("import directions (eslint.config.mjs)", () => {
  const eslint = new ESLint({
    cwd: REPOSITORY,
    // The rule needs no types, and files with made-up content have none.
    overrideConfig: { languageOptions: { parserOptions: { project: null } } },
    ruleFilter: ({ ruleId }) => ruleId === "no-restricted-imports",
  });

  const cases: readonly [file: string, module: string, isAllowed: boolean][] = [
    ["index.ts", "./config/config", true],
    ["index.ts", "./components/store", true],
    ["index.ts", "@store/toolchain/engine/engine", false],
    ["config/config.ts", "../components/host/createHost", true],
    ["config/config.ts", "../services", true],
    ["config/config.ts", "@store/docker/endpoint", true],
    ["config/config.ts", "../packages/cli/main", false],
    ["components/store.ts", "../services/spec", true],
    ["components/store.ts", "../config/config", false],
    ["components/host/createHost.ts", "../../config/schema", false],
    ["components/host/azure/azureHost.ts", "@store/azure-emulator/main", false],
    ["services/index.ts", "./spec", true],
    ["services/index.ts", "../components/store", false],
    ["services/spec.ts", "../config/schema", false],
    ["services/orders/service.ts", "../nodeService.ts", true],
    ["services/orders/service.ts", "../../components/store", false],
    ["runtime/stackTraces.ts", "@store/cli/main", false],
    ["components/store.ts", "../policy/resource", false],
    ["policy/rules/azure.ts", "../cost/monthlyCost", true],
    ["policy/rules/images.ts", "../../components/image/contentTag", false],
  ];
  for (const [file, module, isAllowed] of cases) {
    it(`${isAllowed ? "allows" : "forbids"} importing ${module} in ${file}`, async () => {
      const [result] = await eslint.lintText(`import "${module}";\n`, { filePath: file });
      const rules = result?.messages.map(({ ruleId }) => ruleId);
      assert.deepEqual(rules, isAllowed ? [] : ["no-restricted-imports"]);
    });
  }
});
