import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { cellsOf, execute, notebooksOf } from "./kernelRuns";

const root = path.join(__dirname, "..");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

test("every notebook runs from top to bottom in the real kernel on the smoke budget", () => {
  // What an earlier run left must not hide a notebook that does not make what a later one needs.
  fs.rmSync(path.join(root, "build", "work", "smoke"), { recursive: true, force: true });
  const folder = path.join(root, "notebooks");
  const gallery = notebooksOf("notebooks", "gallery").map((name) => path.join("gallery", name));
  const names = [...notebooksOf("notebooks"), ...gallery];
  assert.ok(names.length > 12 && gallery.length > 0);
  const target = path.join(scratch, "executed", "notebooks");
  const files = names.map((name) => path.join(folder, name));
  const { status, output } = execute(["--to", target, ...files]);
  assert.equal(status, 0, output);
  for (const name of names) {
    const code = cellsOf(path.join(target, name)).filter(({ cell_type }) => cell_type === "code");
    code.forEach((cell, i) =>
      assert.equal(cell.execution_count, i + 1, `${name}: cell ${i + 1} did not run`),
    );
    const data = code
      .flatMap(({ outputs }) => outputs ?? [])
      .flatMap((output) => (output.data ? [output.data] : []));
    const figures = data.filter((bundle) => "application/vnd.plotly.v1+json" in bundle);
    assert.ok(figures.length >= 1, `${name} shows no figure`);
    for (const figure of figures) {
      // The start of a PNG file in base64: GitHub shows this picture.
      assert.match(String(figure["image/png"]), /^iVBORw0KGgo/, `${name}: a figure has no picture`);
    }
    const errors = code
      .flatMap(({ outputs }) => outputs ?? [])
      .filter((output) => /Error/.test(String(output.text)));
    assert.deepEqual(errors, [], name);
  }
  for (const figure of [1, 2, 3, 4]) {
    const file = path.join(scratch, "executed", "figures", `figure-${figure}.png`);
    assert.ok(fs.statSync(file).size > 10_000, `${file} is empty`);
  }
  assert.match(output, /energy distance \/ floor/);
});
