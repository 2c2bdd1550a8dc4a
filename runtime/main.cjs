// Entry point of the Pulumi program ("main" in package.json). It loads index.ts faster than Pulumi's own way
// (runtime.options.typescript). README.md in this folder says what each step saves and when it can go.
"use strict";

// The SDK loads these modules at its start, but uses them only to serialize functions and for the Automation API.
for (const unused of [
  "@pulumi/pulumi/automation",
  "@pulumi/pulumi/typescript-shim",
  "@npmcli/arborist",
  "normalize-package-data",
]) {
  loadOnFirstUse(unused);
}

require("tsx/cjs");
module.exports = require("../index.ts").program;

/** Puts a proxy into the module cache. The proxy loads the module when a property is read. */
function loadOnFirstUse(name) {
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
