// Where Pulumi starts the program, which is index.ts. It is compiled by tsx, which keeps what it has compiled; Pulumi's own way
// (runtime.options.typescript) compiles every file again at each run.
"use strict";

// Node keeps the machine code of what it has loaded, too, from version 22 on.
require("node:module").enableCompileCache?.();

// Before tsx, which would look into each of their files to see whether it has to be compiled.
for (const sdk of ["@pulumi/pulumi", "@pulumi/docker", "@pulumi/command", "@pulumi/random"]) {
  require(sdk);
}
require("tsx/cjs");
module.exports = require("./index.ts").program;
