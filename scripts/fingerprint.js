"use strict";
// Fingerprints of notebooks: what an execution's results depend on, as one number. scripts/execute.py takes it before
// it runs a notebook and keeps it in the notebook's metadata; when code or data change afterwards, it no longer fits.
//   node scripts/fingerprint.js NOTEBOOK ...   prints what the fingerprints are now
// Nothing here writes one: only an execution makes a notebook up to date.

const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const ts = require("typescript");
const { root: project, notebooksOf, NOTEBOOK_FOLDERS } = require("./environment");

const digest = (bytes) => crypto.createHash("sha256").update(bytes).digest("hex");
const isFile = (name) => fs.statSync(name, { throwIfNoEntry: false })?.isFile() ?? false;
const isFolder = (name) => fs.statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Code as JavaScript, without types and comments. A cell keeps imports that later cells alone use. */
function compiled(source, verbatimModuleSyntax = false) {
  const { ESNext: module } = ts.ModuleKind;
  const { ES2022: target } = ts.ScriptTarget;
  const compilerOptions = { module, target, removeComments: true, verbatimModuleSyntax };
  return ts.transpileModule(source.replace(/\r\n?/g, "\n"), { compilerOptions }).outputText;
}

/** The files of the project that code of a folder imports, as modules or as workers. */
function importsOf(code, folder) {
  const named = ts.preProcessFile(code, true, true).importedFiles.map(({ fileName }) => fileName);
  const workers = [...code.matchAll(/"([\w./-]+\.[jt]s)"/g)].map(([, name]) => name);
  return [...named.filter((name) => name.startsWith(".")), ...workers]
    .map((name) => path.resolve(folder, name))
    .flatMap((name) => [name, `${name}.ts`, `${name}.js`, path.join(name, "index.ts")].find(isFile) ?? []);
}

/** The data files that code names: "data/file", all of "data/folder", and of `data/folder/a-${...}` those that begin so. */
function dataOf(code, root) {
  const named = [...code.matchAll(/["'`](?:\.\/)?(data\/[^"'`$]*)/g)].map(([, name]) =>
    path.join(root, name),
  );
  return named.flatMap((name) => {
    if (isFile(name)) return [name];
    const folder = isFolder(name) ? name : path.dirname(name);
    if (!isFolder(folder) || folder === path.join(root, "data")) return [];
    const files = fs.readdirSync(folder, { recursive: true }).map((file) => path.join(folder, file));
    return files.filter((file) => file.startsWith(name) && isFile(file));
  });
}

/** Names of work files, which a notebook leaves for later ones. */
const workFiles = (code) => [...code.matchAll(/\bworkPath\("([^"]+)"\)/g)].map(([, name]) => name);

/** All notebooks of a project. */
const allNotebooks = (root) =>
  NOTEBOOK_FOLDERS.flatMap((folder) => notebooksOf(folder, root)).map((name) => path.join(root, name));

/** The code of a notebook's cells, in order. */
function cellsOf(file) {
  const { cells } = JSON.parse(fs.readFileSync(file, "utf8"));
  const code = cells.filter(({ cell_type }) => cell_type === "code");
  return code.map(({ source }) => compiled([source].flat().join(""), true));
}

/**
 * Fingerprints notebooks of a project: its `of(file)` is the SHA-256, in hexadecimal digits, of
 * - the code of the cells and of all files that they import, and those theirs: no types, no comments;
 * - the data files that this code names (data/...): names and bytes;
 * - the fingerprints of earlier notebooks of notebooks/ that leave a work file which this one takes (workPath("name")).
 * The same on every platform and with every line ending. Files are read and compiled once.
 */
function fingerprinter(root = project) {
  const known = new Map();
  const relative = (name) => path.relative(root, name).split(path.sep).join("/");
  /** Code of a file; a data file's bytes, of text, which has no zero in it, with the line endings of Unix. */
  const contentOf = (file) => {
    if (known.has(file)) return known.get(file);
    const bytes = fs.readFileSync(file);
    const text = bytes.subarray(0, 8000).includes(0)
      ? bytes
      : bytes.toString("latin1").replace(/\r\n?/g, "\n");
    known.set(file, /\.[jt]s$/.test(file) ? compiled(bytes.toString("utf8")) : text);
    return known.get(file);
  };

  /** The files that cells reach. */
  function reached(cells) {
    const found = new Set();
    const follow = (code, folder) => {
      for (const name of dataOf(code, root)) found.add(name);
      for (const name of importsOf(code, folder)) {
        if (found.has(name) || path.relative(root, name).startsWith("..")) continue;
        found.add(name);
        follow(contentOf(name), path.dirname(name));
      }
    };
    for (const cell of cells) follow(cell, root);
    return [...found];
  }

  function of(file) {
    const cells = cellsOf(file);
    const taken = workFiles(cells.join("\n"));
    const makers = (taken.length > 0 ? allNotebooks(root) : []).filter(
      (name) =>
        path.dirname(name) === path.join(root, "notebooks") &&
        path.basename(name) < path.basename(file) &&
        workFiles(cellsOf(name).join("\n")).some((work) => taken.includes(work)),
    );
    const lines = [
      ...cells.map((code, index) => `${digest(code)}  cell ${index}`),
      ...reached(cells).map((name) => `${digest(contentOf(name))}  ${relative(name)}`),
      ...makers.map((name) => `${of(name)}  ${relative(name)}`),
    ];
    return digest(lines.sort().join("\n"));
  }
  return { of, filesOf: (file) => reached(cellsOf(file)).map(relative) };
}

/**
 * The notebooks of the course whose outputs are older than what they show, or were computed with the preset "smoke",
 * each as { file, reason }. Solutions without outputs are none: those may be committed as they were written.
 */
function outdated(root = project) {
  const { of } = fingerprinter(root);
  return allNotebooks(root).flatMap((file) => {
    const { cells, metadata } = JSON.parse(fs.readFileSync(file, "utf8"));
    const bare = cells.every(({ outputs }) => (outputs ?? []).length === 0);
    if (bare && path.basename(path.dirname(file)) === "solutions") return [];
    const { fingerprint, preset } = metadata.porous_sgm ?? {};
    const name = path.relative(root, file).split(path.sep).join("/");
    if (fingerprint === undefined) return [{ file: name, reason: "has no fingerprint of its execution" }];
    if (fingerprint !== of(file)) return [{ file: name, reason: "is older than its code or data" }];
    return preset === "smoke" ? [{ file: name, reason: 'shows results of the preset "smoke"' }] : [];
  });
}

/** What to do about outdated notebooks: each with its reason, and the command that executes them again. */
function advice(list) {
  const lines = list.map(({ file, reason }) => `${file} ${reason}`);
  return [...lines, `npm run notebooks -- ${list.map(({ file }) => file).join(" ")}`].join("\n");
}

if (require.main === module) {
  const { of } = fingerprinter();
  for (const file of process.argv.slice(2)) console.log(`${of(file)}  ${file}`);
}

module.exports = { fingerprinter, outdated, advice };
