#!/usr/bin/env node
// SUBSTITUTE for ./store, for tests of the workflows: runs `./store ci` as it is, but records all other commands, and prints what
// the test has prepared, because they take minutes and Azure. The rehearsal runs up, preview, url and down of staging.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const [command, ...args] = process.argv.slice(2);
const folder = process.env.STORE_SUBSTITUTE;

if (command === "ci") {
  // Starts the command like the launcher, but doesn't check the installed packages.
  require("tsx/cjs");
  const { main } = require("./packages/cli/main.ts");
  void main(process.argv.slice(2)).then((exitCode) => (process.exitCode = exitCode));
} else {
  fs.appendFileSync(path.join(folder, "calls"), `${[command, ...args].join(" ")}\n`);
  const prepared = path.join(folder, `${command}.txt`);
  if (fs.existsSync(prepared)) process.stdout.write(fs.readFileSync(prepared));
  const code = path.join(folder, `${command}.code`);
  if (fs.existsSync(code)) process.exitCode = Number(fs.readFileSync(code, "utf8"));
}
