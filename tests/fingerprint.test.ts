import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, beforeEach, test } from "node:test";

const { fingerprinter, outdated, advice } = require("../scripts/fingerprint") as {
  fingerprinter: (root?: string) => { of: (file: string) => string; filesOf: (file: string) => string[] };
  outdated: (root?: string) => { file: string; reason: string }[];
  advice: (list: { file: string; reason: string }[]) => string;
};
const root = path.join(__dirname, "..");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const LAST = "notebooks/02-last.ipynb";
const CELLS = [
  'import { twice } from "./lib/a";\nimport { workPath } from "./lib/notebook";',
  'const model = load("data/models/m");',
  'console.log(twice(2));\nworkPath("model")',
];
const FIRST = [CELLS[0], 'save(workPath("model"));'];

interface Parts {
  metadata?: object;
  outputs?: object[];
}

/** A notebook of these cells in the scratch project. */
function notebook(name: string, cells: string[], { metadata = {}, outputs = [] }: Parts = {}): void {
  const list = [
    { cell_type: "markdown", metadata: {}, source: ["# Title"] },
    ...cells.map((source) => ({ cell_type: "code", metadata: {}, source: [source], outputs })),
  ];
  write(name, JSON.stringify({ cells: list, metadata, nbformat: 4, nbformat_minor: 5 }));
}

function write(name: string, content: string | Uint8Array): void {
  fs.mkdirSync(path.dirname(path.join(scratch, name)), { recursive: true });
  fs.writeFileSync(path.join(scratch, name), content);
}

const read = (name: string) => fs.readFileSync(path.join(scratch, name), "utf8");
/** All files with their contents. */
const tree = () =>
  fs
    .readdirSync(scratch, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, path: folder, name }) => path.join(parentPath ?? folder, name))
    .map((file) => [file, fs.readFileSync(file, "latin1")]);
const edit = (name: string, from: string | RegExp, to: string) => write(name, read(name).replace(from, to));
const rename = (from: string, to: string) => {
  const bytes = fs.readFileSync(path.join(scratch, from));
  fs.rmSync(path.join(scratch, from));
  write(to, bytes);
};
const now = (name = LAST) => fingerprinter(scratch).of(path.join(scratch, name));

beforeEach(() => {
  for (const part of ["lib", "data", "notebooks"])
    fs.rmSync(path.join(scratch, part), { recursive: true, force: true });
  write(
    "lib/a.ts",
    'import { add } from "./deep/b";\nimport type { T } from "./types";\n\n/** Doc. */\nexport const twice = (x: T) => add({ x, y: x });\n',
  );
  write("lib/deep/b.ts", "export const add = ({ x, y }: { x: number; y: number }): number => x + y;\n");
  edit("lib/deep/b.ts", /$/, 'export const work = () => [new Worker("worker.ts"), require("./required")];\n');
  write("lib/deep/worker.ts", "export const part = 1;\n");
  write("lib/deep/required.ts", "export const part = 1;\n");
  write("lib/types.ts", "export type T = number;\n");
  write("lib/notebook/notebook.ts", "export const workPath = (name: string) => name;\n");
  write("lib/other.ts", "export const other = 1;\n");
  write("data/models/m/weights.bin", Uint8Array.of(0, 13, 10, 1));
  write("data/models/m/model.json", '{\n  "a": 1\n}\n');
  write("data/unused.bin", Uint8Array.of(0, 1));
  notebook("notebooks/01-first.ipynb", FIRST);
  notebook(LAST, CELLS);
});

test("every committed notebook shows what its code and data give now", () => {
  const list = outdated();
  assert.deepEqual(list, [], list.length > 0 ? advice(list) : "");
});

/** Each change of the scratch project, and whether the last notebook's results may be others then. */
const changes: [string, boolean, () => void][] = [
  ["code that is reached through another file", true, () => edit("lib/deep/b.ts", "x + y", "x - y")],
  ["its comments", false, () => edit("lib/deep/b.ts", "x + y", "x /* and */ + y // sum")],
  ["its indentation", false, () => edit("lib/deep/b.ts", "export", "  export")],
  ["a worker", true, () => edit("lib/deep/worker.ts", "1", "2")],
  ["a file that is required", true, () => edit("lib/deep/required.ts", "1", "2")],
  ["the names of imported files", true, () => rename("lib/deep/b.ts", "lib/deep/b/index.ts")],
  ["its line endings", false, () => edit("lib/a.ts", /\n/g, "\r\n")],
  ["its types", false, () => edit("lib/deep/b.ts", "): number", ")")],
  ["a file of types", false, () => edit("lib/types.ts", "number", "1 | 2")],
  ["a file that is not reached", false, () => edit("lib/other.ts", "1", "2")],
  ["a sign in a cell", true, () => edit(LAST, "twice(2)", "twice(-2)")],
  ["an import that another cell uses", true, () => edit(LAST, "{ twice }", "{ thrice as twice }")],
  ["a comment in a cell", false, () => edit(LAST, "twice(2));", "twice(2)); // four")],
  ["the text between cells", false, () => edit(LAST, "# Title", "# Another")],
  ["the outputs", false, () => edit(LAST, '"outputs":[]', '"outputs":[{"output_type":"stream"}]')],
  ["where cells are cut", true, () => notebook(LAST, [CELLS[0], CELLS.slice(1).join("\n")])],
  ["one byte of the model", true, () => write("data/models/m/weights.bin", Uint8Array.of(0, 13, 10, 2))],
  ["binary data like line endings", true, () => write("data/models/m/weights.bin", Uint8Array.of(0, 10, 1))],
  ["line endings of the model's text", false, () => edit("data/models/m/model.json", /\n/g, "\r\n")],
  ["the model's text", true, () => edit("data/models/m/model.json", "1", "2")],
  ["the names of the model's files", true, () => rename("data/models/m/model.json", "data/models/m/m.json")],
  ["data that are not named", false, () => write("data/unused.bin", Uint8Array.of(0, 2))],
  ["a notebook that makes a work file for it", true, () => edit("notebooks/01-first.ipynb", "save", "keep")],
  ["later notebooks", false, () => notebook("notebooks/03-later.ipynb", ['workPath("model");'])],
  ["notebooks that make other files", false, () => notebook("notebooks/00-o.ipynb", ['workPath("other");'])],
];

for (const [what, counts, change] of changes) {
  test(`a change of ${what} ${counts ? "counts" : "does not count"}`, () => {
    const [before, files] = [now(), tree()];
    change();
    assert.notDeepEqual(tree(), files);
    assert.equal(now() !== before, counts);
  });
}

test("a data file named by a template counts with its folder", () => {
  notebook(LAST, ["load(`data/models/${name}`)"]);
  const before = now();
  write("data/models/m/weights.bin", Uint8Array.of(0));
  assert.notEqual(now(), before);
});

test("of a folder in whose names a template goes on, the files count that begin so", () => {
  write("data/results/mine-1.json", "1");
  notebook(LAST, ["load(`data/results/mine-${name}.json`)"]);
  const before = now();
  write("data/results/other.json", "2");
  assert.equal(now(), before);
  write("data/results/mine-2.json", "3");
  assert.notEqual(now(), before);
});

test("outdated notebooks are named with the reason and the command that executes them again", () => {
  const outputs = [{ output_type: "stream", name: "stdout", text: "4" }];
  const good = { fingerprint: now("notebooks/01-first.ipynb"), preset: "lesson" };
  notebook("notebooks/01-first.ipynb", FIRST, { metadata: { porous_sgm: good }, outputs });
  notebook("notebooks/solutions/01-first.ipynb", ["1;"]); // not executed: nothing to be out of date
  assert.deepEqual(outdated(scratch), [{ file: LAST, reason: "has no fingerprint of its execution" }]);
  write("lib/deep/b.ts", "export const add = () => 0;\n");
  notebook("notebooks/solutions/01-first.ipynb", ["1;"], { outputs });
  const list = outdated(scratch);
  assert.deepEqual(list[0], {
    file: "notebooks/01-first.ipynb",
    reason: "is older than its code or data",
  });
  const names = ["notebooks/01-first.ipynb", LAST, "notebooks/solutions/01-first.ipynb"];
  assert.equal(advice(list).split("\n").at(-1), `npm run notebooks -- ${names.join(" ")}`);
  const smoke = { fingerprint: now("notebooks/01-first.ipynb"), preset: "smoke" };
  notebook("notebooks/01-first.ipynb", FIRST, { metadata: { porous_sgm: smoke }, outputs });
  assert.match(outdated(scratch)[0].reason, /smoke/);
});

test("the project's own code is followed through imports, workers and requires", () => {
  const reached = fingerprinter().filesOf(path.join(root, "notebooks", "03-data-set.ipynb"));
  for (const file of ["lib/presets/simulate.ts", "lib/storage/generateWorker.ts", "lib/finiteVolumes.ts"])
    assert.ok(reached.includes(file), file);
  for (const file of ["lib/training.ts", "lib/backend/tensors.ts"]) assert.ok(!reached.includes(file), file);
});
