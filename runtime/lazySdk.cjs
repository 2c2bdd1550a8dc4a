// Defers modules of @pulumi/pulumi to their first use.
"use strict";

/** Modules that @pulumi/pulumi loads at its start, but uses only to serialize functions and for the Automation API. */
const UNUSED_BY_PROGRAM = [
  "@pulumi/pulumi/automation",
  "@pulumi/pulumi/typescript-shim",
  "@npmcli/arborist",
  "normalize-package-data",
];

/** Puts proxies into the module cache. A proxy loads its module when a property is read. */
function deferModules(names) {
  names.forEach(loadOnFirstUse);
}

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

module.exports = { deferModules, UNUSED_BY_PROGRAM };
