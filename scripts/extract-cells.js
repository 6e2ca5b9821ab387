"use strict";
// Writes the code of each notebook as one TypeScript file into build/cells/, where the type checker, stricter than
// the kernel's, sees it: imports first, the rest inside one async function, as a cell may await.

const fs = require("fs");
const path = require("path");
const { root } = require("./environment");

const places = ["", "solutions", "gallery", path.join("gallery", "solutions")];
const folders = places.map((place) => path.join(root, "notebooks", place));
const to = path.join(root, "build", "cells");
fs.rmSync(to, { recursive: true, force: true });
fs.mkdirSync(to, { recursive: true });
const notebooks = folders.flatMap((folder) =>
  fs.existsSync(folder) ? fs.readdirSync(folder).map((name) => path.join(folder, name)) : [],
);
for (const file of notebooks.filter((name) => name.endsWith(".ipynb"))) {
  const { cells } = JSON.parse(fs.readFileSync(file, "utf8"));
  const code = cells
    .filter((cell) => cell.cell_type === "code")
    .map((cell) => [].concat(cell.source).join(""));
  const importing = /^import\s[\s\S]*?from\s+"[^"]+";\n?|^import\s+"[^"]+";\n?/gm;
  const imports = code
    .flatMap((text) => text.match(importing) ?? [])
    .map((text) => text.replace(/"\.\/(lib|notebooks)\//g, '"../../$1/').trim());
  const body = code.map((text) => text.replace(importing, "")).join("\n");
  const unused = "/* eslint-disable */\n";
  fs.writeFileSync(
    path.join(
      to,
      path
        .relative(folders[0], file)
        .replaceAll(path.sep, "-")
        .replace(/\.ipynb$/, ".ts"),
    ),
    `${unused}${[...new Set(imports)].join("\n")}\n\nexport async function cells(): Promise<void> {\n${body}\n}\n`,
  );
}
