// Entry point of the Pulumi program ("main" in package.json). It loads index.ts faster than Pulumi's own way
// (runtime.options.typescript). README.md in this folder says what each step saves and when it can go.
"use strict";

const { endWithParent } = require("./endWithParent.cjs");
const { deferModules, UNUSED_BY_PROGRAM } = require("./lazySdk.cjs");

endWithParent();
deferModules(UNUSED_BY_PROGRAM);
require("tsx/cjs");
module.exports = require("../index.ts").program;
