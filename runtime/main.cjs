// Where Pulumi starts the program, which is index.ts. It is compiled by tsx, which keeps what it has compiled; Pulumi's own way
// (runtime.options.typescript) compiles every file again at each run.
"use strict";

// Node keeps the machine code of what it has loaded, too, from version 22 on.
require("node:module").enableCompileCache?.();

// What the SDK needs only to take functions apart or to run an engine itself, which nothing of ours asks for: a compiler, npm's
// resolver and more, a good part of a second.
for (const unused of [
  "@pulumi/pulumi/automation",
  "@pulumi/pulumi/typescript-shim",
  "@npmcli/arborist",
  "normalize-package-data",
]) {
  loadWhenUsed(unused);
}

// Before tsx, which would look into each of their files to see whether it has to be compiled.
for (const sdk of ["@pulumi/pulumi", "@pulumi/docker", "@pulumi/command", "@pulumi/random"]) {
  require(sdk);
}
require("tsx/cjs");
module.exports = require("../index.ts").program;

/** Puts a stand-in for a module where `require` looks first. It loads the module when something of it is asked for. */
function loadWhenUsed(name) {
  const file = require.resolve(name);
  if (require.cache[file]) return;
  const exports = new Proxy(
    {},
    {
      get: (_, key) => (key === "__esModule" ? true : load()[key]),
    },
  );
  const load = () => {
    if (require.cache[file]?.exports === exports) require.cache[file] = undefined;
    return require(file);
  };
  require.cache[file] = Object.assign(new module.constructor(file), { exports, loaded: true });
}
