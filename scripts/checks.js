"use strict";
// The static checks, by the name of the npm script that repeats each. Run as a script: one or all of them.

const { spawnSync } = require("child_process");
const path = require("path");
const { root } = require("./environment");

const bin = (...names) => path.join(root, "node_modules", ...names);
const extract = path.join("scripts", "extract-cells.js");
const checks = [
  { name: "cells of the notebooks", script: "check", args: [extract] },
  { name: "types", script: "check", args: [bin("typescript", "bin", "tsc"), "-p", "tsconfig.json"] },
  // tslab compiles lib/ with a TypeScript of its own, an older one.
  {
    name: "types with tslab's compiler",
    script: "check",
    args: [bin("@tslab", "typescript-for-tslab", "lib", "tsc.js"), "-p", "tsconfig.json"],
  },
  { name: "lint", script: "lint", args: [bin("eslint", "bin", "eslint.js"), "--max-warnings=0", "."] },
  {
    name: "format",
    script: "format:check",
    args: [bin("prettier", "bin", "prettier.cjs"), "--check", "--log-level=warn", "."],
  },
];

if (require.main === module) {
  const wanted = checks.filter(({ script }) => process.argv.length < 3 || process.argv.includes(script));
  for (const { args } of wanted) {
    const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
    if (status !== 0) process.exit(status ?? 1);
  }
}

module.exports = checks;
