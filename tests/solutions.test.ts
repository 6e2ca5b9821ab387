import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { cellsOf, execute, notebooksOf } from "./kernelRuns";

const root = path.join(__dirname, "..");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

test("every solution runs and is found right", () => {
  const names = ["solutions", path.join("gallery", "solutions")].flatMap((folder) =>
    notebooksOf("notebooks", folder).map((name) => path.join(folder, name)),
  );
  const target = path.join(scratch, "executed");
  const files = names.map((name) => path.join(root, "notebooks", name));
  const { status, output } = execute(["--to", target, ...files]);
  assert.equal(status, 0, output);
  for (const name of names) {
    const printed = cellsOf(path.join(target, name)).flatMap(({ outputs }) => outputs ?? []);
    const judgements = printed.map(({ text }) => [text ?? ""].flat().join("")).join("");
    const right = judgements.match(/^Exercise .*: right\.$/gm) ?? [];
    assert.ok(right.length >= 2, `${name}: ${right.length} answers are found right`);
    assert.doesNotMatch(judgements, /not yet|no answer/, name);
  }
});
