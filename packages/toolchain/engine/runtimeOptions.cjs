// Preloaded into each Node.js process below an engine of our own making. Its language host is older than the engine and isn't told
// the options that Pulumi.yaml gives the runtime. Of those, the one that matters is said to the program's process here: without
// it, a program that sees to its own compilation would wait for TypeScript to be loaded, too.
// https://www.pulumi.com/docs/iac/concepts/projects/project-file/#runtime-options
"use strict";

const { readFileSync } = require("node:fs");

if (
  /[\\/]@pulumi[\\/]pulumi[\\/]cmd[\\/]run[\\/]/.test(process.argv[1] ?? "") &&
  saysNoTypeScript()
) {
  process.env.PULUMI_NODEJS_TYPESCRIPT = "false";
}

function saysNoTypeScript() {
  try {
    return /^\s+typescript:\s*false\b/m.test(readFileSync("Pulumi.yaml", "utf8"));
  } catch {
    // Not the folder of a project: the engine itself says so.
    return false;
  }
}
