/** What the site is made of, without a browser: the notebooks' cells, and what stands for Node's modules there. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import * as danfo from "danfojs-node";
import ts from "typescript";
import { Buffer as Bytes } from "../scripts/site/browser/buffer";
import { DataFrame } from "../scripts/site/browser/danfo";
import { basename, dirname, extname, join, parse, resolve } from "../scripts/site/browser/paths";

const { labNotebooks, pageNotebooks, withoutTypes } = require("../scripts/site/notebooks") as {
  labNotebooks(folder: string): string[];
  pageNotebooks(folder: string): string[];
  withoutTypes(source: string): string;
};

const root = path.join(__dirname, "..");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-site-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

interface Cell {
  readonly cell_type: string;
  readonly source: string;
}
const cellsOf = (file: string) =>
  (
    JSON.parse(fs.readFileSync(file, "utf8")) as { cells: { cell_type: string; source: string | string[] }[] }
  ).cells.map(({ cell_type, source }): Cell => ({ cell_type, source: [source].flat().join("") }));

test("types are taken out of a cell, and comments, blank lines and layout stay", () => {
  const cell = [
    'import type { Flow } from "./lib/flow";',
    'import { type Way, follow } from "./lib/way";',
    "",
    "/** Steps. */",
    "const counts: readonly number[] = [1, 2]; // how many",
    "function draw<T>(",
    "  values: readonly T[], // drawn",
    "  options?: { seed: number },",
    "): T {",
    "  return values[0]! as T;",
    "}",
    "type Twice = number;",
    "",
    "const own = (draw as Flow)<number>;",
  ];
  const expected = [
    'import { follow } from "./lib/way";',
    "",
    "/** Steps. */",
    "const counts = [1, 2]; // how many",
    "function draw(",
    "  values, // drawn",
    "  options,",
    ") {",
    "  return values[0];",
    "}",
    "",
    "const own = (draw);",
  ];
  assert.equal(withoutTypes(cell.join("\n")), expected.join("\n"));
  assert.throws(() => withoutTypes("enum Colour { Red }"), /Colour/);
});

test("every cell of the course is JavaScript with the comments that it had, and imports what the project has", () => {
  const folder = path.join(scratch, "lab");
  const modules = labNotebooks(folder);
  for (const name of modules) {
    const ours = /^(lib|notebooks)\//.test(name);
    assert.ok(ours ? fs.existsSync(path.join(root, `${name}.ts`)) : require.resolve(name), name);
  }
  const names = fs.readdirSync(folder);
  assert.ok(names.length >= 17);
  const comments = (source: string) =>
    source.match(/(?<![:"'`])\/\/ .*$/gm)?.filter((text) => !text.includes('"')) ?? [];
  for (const name of names) {
    const before = cellsOf(path.join(root, "notebooks", name));
    const cells = cellsOf(path.join(folder, name));
    assert.equal(cells.length, before.length);
    for (const [i, { cell_type, source }] of cells.entries()) {
      if (cell_type !== "code") continue;
      const script = ts.transpileModule(source, {
        fileName: "cell.js",
        reportDiagnostics: true,
        compilerOptions: { allowJs: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
      });
      assert.deepEqual(
        script.diagnostics?.map(({ messageText }) => messageText),
        [],
        `${name}, cell ${i}`,
      );
      // Those within a type go with it.
      if (!/^(interface|type) /m.test(before[i].source))
        assert.deepEqual(comments(source), comments(before[i].source), `${name}, cell ${i}`);
    }
  }
});

test("links of the site's notebooks lead to notebooks of the site", () => {
  const folder = path.join(scratch, "pages");
  for (const file of pageNotebooks(folder))
    for (const { cell_type, source } of cellsOf(file)) {
      if (cell_type !== "markdown") continue;
      for (const [, target] of source.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
        assert.match(target, /^\d\d-[\w-]+\.html$/, path.basename(file));
        assert.ok(fs.existsSync(path.join(folder, target.replace(".html", ".ipynb"))), target);
      }
    }
});

test("what stands for danfo.js gives its summary", () => {
  const rows = [3, 1, 2, 10].map((a, i) => ({ a, b: i / 3 }));
  const [ours, theirs] = [new DataFrame(rows), new danfo.DataFrame(rows)].map((frame) =>
    frame.describe().round(3),
  );
  assert.deepEqual(ours.columns, theirs.columns);
  assert.deepEqual(ours.index, theirs.index);
  assert.deepEqual(ours.values, theirs.values);
});

test("what stands for Buffer and path does what Node's does", () => {
  for (const text of ["", "é φ", "AQID"])
    for (const encoding of ["utf8", "latin1", "base64"] as const) {
      if (encoding !== "utf8" && text === "é φ") continue;
      const [ours, node] = [Bytes.from(text, encoding), Buffer.from(text, encoding)];
      assert.deepEqual([...ours], [...node]);
      assert.equal(ours.toString(encoding), node.toString(encoding));
    }
  const number = Bytes.alloc(8);
  number.writeBigUInt64LE(123456789012345n);
  assert.equal(Buffer.from(number).readBigUInt64LE(), 123456789012345n);
  assert.equal(Bytes.concat([Bytes.from("a"), Bytes.from("bc")]).toString("latin1", 1), "bc");
  for (const file of ["/a/b.c.d", "/a", "x.json"]) {
    assert.equal(dirname(file), path.dirname(file));
    assert.equal(basename(file), path.basename(file));
    assert.equal(extname(file), path.extname(file));
    const { dir, base, ext } = path.parse(file);
    if (file.startsWith("/a/")) assert.deepEqual(parse(file), { dir, base, ext });
  }
  for (const parts of [
    ["/", "..", "data"],
    ["a", "b", "../c"],
    ["/x/", "y"],
  ])
    assert.equal(join(...parts), path.join(...parts));
  assert.equal(resolve("data/x"), "/data/x");
});
