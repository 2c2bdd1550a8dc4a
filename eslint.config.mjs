import js from "@eslint/js";
import globals from "globals";
import prettier from "eslint-config-prettier";
import ts from "typescript-eslint";

/** Import directions: index.ts → config, components → the services' specs. */
const developmentTools = {
  regex: "(^@store|/packages)/(cli|toolchain|azure-emulator)(/|$)",
  message:
    "The Pulumi program must not depend on the store command, the toolchain or the emulator.",
};
const configuration = {
  regex: "^\\.\\.?/(.*/)?config(/|$)",
  message: "Components and specs take arguments; only index.ts reads the configuration.",
};
const components = {
  regex: "^\\.\\.?/(.*/)?components(/|$)",
  message: "Specs don't depend on the components that are made from them.",
};
const program = {
  regex: "^(\\.\\./)+(index)?$",
  message: "index.ts is imported by runtime/ only.",
};

const theProgram = {
  regex: "^\\.\\.?/(.*/)?(components|config|services|packages|runtime|test)(/|$)|^@store/",
  message: "The policies judge what the engine shows, and depend on nothing that they judge.",
};
const policies = {
  regex: "^\\.\\.?/(.*/)?policy(/|$)",
  message: "The program doesn't depend on the policies that judge it.",
};

/** Forbids imports in a folder. */
const restrictImports = (files, ...patterns) => ({
  files,
  rules: { "no-restricted-imports": ["error", { patterns }] },
});

export default ts.config(
  { ignores: ["**/node_modules/", ".store/", "packages/contracts/types/"] },
  js.configs.recommended,
  ts.configs.strictTypeChecked,
  prettier,
  {
    languageOptions: {
      parserOptions: {
        project: ["./tsconfig.json", "./tsconfig.services.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // A number in a message reads as it should.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_" },
      ],
      "@typescript-eslint/explicit-function-return-type": "off",
    },
  },
  restrictImports(["index.ts", "runtime/**"], developmentTools, policies),
  restrictImports(["config/**"], developmentTools, program, policies),
  restrictImports(["components/**"], developmentTools, program, configuration, policies),
  restrictImports(["policy/**"], theProgram, program),
  restrictImports(
    ["services/*.ts", "services/*/service.ts"],
    developmentTools,
    program,
    configuration,
    components,
  ),
  {
    // Mocha's describe and it return nothing that anybody waits for; its `this` sets time limits.
    files: ["**/test/**/*.ts"],
    rules: { "@typescript-eslint/no-floating-promises": "off" },
  },
  {
    // Plain JavaScript where nothing is compiled: the launcher, what the provider of commands runs, configuration.
    files: ["store", "**/*.mjs", "**/*.cjs", "**/*.js"],
    ...ts.configs.disableTypeChecked,
    languageOptions: {
      ...ts.configs.disableTypeChecked.languageOptions,
      globals: globals.node,
    },
  },
  {
    // What browsers run.
    files: ["services/storefront/src/assets/*.js"],
    languageOptions: {
      sourceType: "script",
      globals: { ...globals.browser, SwaggerUIBundle: "readonly" },
    },
  },
  { files: ["store", "**/*.cjs"], rules: { "@typescript-eslint/no-require-imports": "off" } },
);
