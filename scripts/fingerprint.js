"use strict";
// Fingerprints of notebooks: what an execution's results depend on, as one number. scripts/execute.py takes it before
// it runs a notebook and keeps it in the notebook's metadata; when code or data change afterwards, it no longer fits.
//   node scripts/fingerprint.js                prints the committed notebooks that are older than their code
//   node scripts/fingerprint.js NOTEBOOK ...   prints what the fingerprints are now
// Nothing here writes one: only an execution makes a notebook up to date.

const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const { root: project } = require("./environment");
const { codeOf } = require("./fingerprint/code");
const { reach } = require("./fingerprint/reach");

const digest = (bytes) => crypto.createHash("sha256").update(bytes).digest("hex");

/** The digest of a file; of text, which has no zero among its first bytes, with the line endings of Unix. */
function digestOfFile(file) {
  const bytes = fs.readFileSync(file);
  if (bytes.subarray(0, 8000).includes(0)) return digest(bytes);
  return digest(bytes.toString("latin1").replace(/\r\n?/g, "\n"));
}

/** All notebooks of the course: of notebooks/ and of its folder of solutions, in order. */
function notebooksOf(root) {
  return ["notebooks", path.join("notebooks", "solutions")]
    .map((folder) => path.join(root, folder))
    .filter((folder) => fs.existsSync(folder))
    .flatMap((folder) =>
      fs
        .readdirSync(folder)
        .filter((name) => name.endsWith(".ipynb"))
        .sort()
        .map((name) => path.join(folder, name)),
    );
}

/**
 * Fingerprints notebooks of a project: its `of(file)` is the SHA-256, in hexadecimal digits, of
 * - the code of the cells and of all files that they import, and those theirs: no types, comments or layout;
 * - the data files that this code names (data/...): names and bytes;
 * - the fingerprints of earlier notebooks of notebooks/ that leave a work file which this one takes (workPath("name")).
 * The same on every platform and with every line ending. Files are read and compiled once.
 */
function fingerprinter(root = project) {
  const parsed = new Map();
  const digests = new Map();
  const digestOnce = (file) => {
    if (!digests.has(file)) digests.set(file, digestOfFile(file));
    return digests.get(file);
  };

  const cellsOf = (file) =>
    JSON.parse(fs.readFileSync(file, "utf8"))
      .cells.filter(({ cell_type }) => cell_type === "code")
      .map(({ source }) => codeOf([source].flat().join(""), { cell: true }));

  const workFiles = (cells) =>
    cells.flatMap(({ tokens }) =>
      tokens.flatMap((token, i) => (token === "workPath" && tokens[i + 1] === "(" ? [tokens[i + 2]] : [])),
    );

  /** Notebooks of notebooks/ that come before this one and name one of its work files. */
  function makers(file, cells) {
    const wanted = new Set(workFiles(cells));
    const own = path.basename(file);
    const folder = path.join(root, "notebooks");
    if (wanted.size === 0) return [];
    return notebooksOf(root)
      .filter((name) => path.dirname(name) === folder && path.resolve(name) !== path.resolve(file))
      .filter((name) => path.basename(name) <= own)
      .filter((name) => workFiles(cellsOf(name)).some((work) => wanted.has(work)));
  }

  function of(file) {
    const cells = cellsOf(file);
    const { code, data } = reach(
      cells.flatMap(({ literals }) => literals),
      root,
      root,
      parsed,
    );
    const entries = [
      ...cells.map(({ tokens }, i) => [`cell ${String(i).padStart(4, "0")}`, digest(tokens.join("\n"))]),
      ...[...code].map(([name, tokens]) => [relative(name), digest(tokens.join("\n"))]),
      ...[...data].map((name) => [relative(name), digestOnce(name)]),
      ...makers(file, cells).map((name) => [relative(name), of(name)]),
    ];
    const lines = entries.map(([name, value]) => `${value}  ${name}\n`).sort();
    return digest(lines.join(""));
  }
  const relative = (file) => path.relative(root, file).split(path.sep).join("/");
  return { of };
}

/**
 * The notebooks of the course whose outputs are older than what they show, or were computed with the preset "smoke",
 * each as { file, reason }. Solutions without outputs are none: those may be committed as they were written.
 */
function outdated(root = project) {
  const { of } = fingerprinter(root);
  return notebooksOf(root).flatMap((file) => {
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

function main(files) {
  if (files.length > 0) {
    const { of } = fingerprinter();
    for (const file of files) console.log(`${of(file)}  ${file}`);
    return 0;
  }
  const list = outdated();
  if (list.length > 0) console.log(advice(list));
  return list.length > 0 ? 1 : 0;
}

if (require.main === module) process.exitCode = main(process.argv.slice(2));

module.exports = { fingerprinter, outdated, advice };
