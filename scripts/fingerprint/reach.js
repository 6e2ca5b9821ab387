"use strict";
// What the results of a piece of code depend on: files that it imports, and theirs, and data files that they name.

const fs = require("fs");
const path = require("path");
const { codeOf } = require("./code");

const isFile = (name) => fs.statSync(name, { throwIfNoEntry: false })?.isFile() ?? false;
const isFolder = (name) => fs.statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** All files of a folder and of those inside it. */
function filesOf(folder) {
  return fs
    .readdirSync(folder, { recursive: true })
    .map((name) => path.join(folder, name))
    .filter(isFile);
}

/** The file of the project that a literal names as a module does, or undefined: "./x", "../x/y", "worker.ts". */
function moduleNamed({ text, open }, folder, root) {
  if (open || !/^\.{1,2}\/|\.[jt]s$/.test(text)) return undefined;
  const name = path.resolve(folder, text);
  const relative = path.relative(root, name);
  if (relative.startsWith("..") || relative.split(path.sep).includes("node_modules")) return undefined;
  return [name, `${name}.ts`, `${name}.js`, `${name}.json`, path.join(name, "index.ts")].find(isFile);
}

/** The data files that a literal names: a file, those of a folder, and of an open literal those of its last folder. */
function dataNamed({ text, open }, root) {
  if (!/^(\.\/)?data\//.test(text)) return [];
  const name = path.join(root, open ? text.slice(0, text.lastIndexOf("/")) : text);
  if (isFile(name)) return [name];
  return isFolder(name) ? filesOf(name) : [];
}

/**
 * The code and data files that source text of `folder` reaches. `parsed` keeps the code of files between calls.
 * Returns { code: Map of file to tokens, data: Set of files }, without the source itself.
 */
function reach(literals, folder, root, parsed = new Map()) {
  const code = new Map();
  const data = new Set();
  const follow = (list, from) => {
    for (const literal of list) {
      for (const file of dataNamed(literal, root)) data.add(file);
      const file = moduleNamed(literal, from, root);
      if (file === undefined || code.has(file)) continue;
      if (!/\.[jt]s$/.test(file)) {
        data.add(file);
        continue;
      }
      if (!parsed.has(file)) parsed.set(file, codeOf(fs.readFileSync(file, "utf8")));
      code.set(file, parsed.get(file).tokens);
      follow(parsed.get(file).literals, path.dirname(file));
    }
  };
  follow(literals, folder);
  return { code, data };
}

module.exports = { reach };
