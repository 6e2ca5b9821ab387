"use strict";
// Writes the code of each notebook as one TypeScript file into build/cells/, where the type checker, stricter than
// the kernel's, sees it: imports first, the rest inside one async function, as a cell may await.

const fs = require("fs");
const path = require("path");
const { root, notebooksOf, NOTEBOOK_FOLDERS } = require("./environment");

const to = path.join(root, "build", "cells");
fs.rmSync(to, { recursive: true, force: true });
fs.mkdirSync(to, { recursive: true });
for (const file of NOTEBOOK_FOLDERS.flatMap((folder) => notebooksOf(folder))) {
  const { cells } = JSON.parse(fs.readFileSync(path.join(root, file), "utf8"));
  const code = cells
    .filter((cell) => cell.cell_type === "code")
    .map((cell) => [].concat(cell.source).join(""));
  const importing = /^import\s[\s\S]*?from\s+"[^"]+";\n?|^import\s+"[^"]+";\n?/gm;
  const imports = code
    .flatMap((text) => text.match(importing) ?? [])
    .map((text) => text.replace(/"\.\/(lib|notebooks)\//g, '"../../$1/').trim());
  const body = code.map((text) => text.replace(importing, "")).join("\n");
  const name = path.relative("notebooks", file).replaceAll(path.sep, "-");
  fs.writeFileSync(
    path.join(to, name.replace(/\.ipynb$/, ".ts")),
    `/* eslint-disable */\n${[...new Set(imports)].join("\n")}\n\nexport async function cells(): Promise<void> {\n${body}\n}\n`,
  );
}
