// Preloaded into each Node.js process of an engine built by the toolchain. Its language host is older than the engine and ignores the
// runtime options in Pulumi.yaml. This file applies the option `typescript: false`, without which the SDK loads the TypeScript
// compiler for a program that is compiled already.
// https://www.pulumi.com/docs/iac/concepts/projects/project-file/#runtime-options
"use strict";

const { readFileSync } = require("node:fs");

if (
  /[\\/]@pulumi[\\/]pulumi[\\/]cmd[\\/]run[\\/]/.test(process.argv[1] ?? "") &&
  disablesTypeScript()
) {
  process.env.PULUMI_NODEJS_TYPESCRIPT = "false";
}

function disablesTypeScript() {
  try {
    return /^\s+typescript:\s*false\b/m.test(readFileSync("Pulumi.yaml", "utf8"));
  } catch {
    // No project in this folder; the engine reports that.
    return false;
  }
}
