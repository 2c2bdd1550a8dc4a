// Entry point of the policy pack ("main" in package.json). Each `up` and `preview` starts it before the program, so it must start fast.
"use strict";

const { endWithParent } = require("../runtime/endWithParent.cjs");
const { deferModules, UNUSED_BY_PROGRAM } = require("../runtime/lazySdk.cjs");

endWithParent();
// @pulumi/policy needs the SDK for what this pack doesn't use: assets, and policies that change resources.
deferModules([...UNUSED_BY_PROGRAM, "@pulumi/pulumi", "@pulumi/pulumi/runtime/rpc"]);
require("tsx/cjs");
require("./pack.ts").startPack();
