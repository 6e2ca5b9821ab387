/** What presets and docs/measured.md claim to have measured is what the committed results say. */
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { measured } from "../lib/presets/measured";
import type { Evaluation } from "../lib/evaluation/evaluate";
import { presetTable } from "../scripts/cli/presets";

const root = path.join(__dirname, "..");

interface Result {
  settings: { convention: string };
  history: { preset: string; steps: number; seconds: number };
  rows: number;
  set: string;
  evaluations: Evaluation[];
  median: { pooled: number };
  worst: Evaluation;
  reference: Evaluation;
}

test("the measured quality of each preset is that of its committed evaluation", () => {
  assert.ok(measured.length >= 4, "fast and best in both conventions");
  for (const own of measured) {
    const file = path.join(root, "data", "results", `evaluation-${own.preset}-${own.convention}.json`);
    const result = JSON.parse(fs.readFileSync(file, "utf8")) as Result;
    const { history, rows, set, settings, evaluations, median, worst, reference } = result;
    assert.deepEqual(
      [history.preset, settings.convention, rows, set],
      [own.preset, own.convention, 2000, "test"],
    );
    assert.deepEqual([history.steps, evaluations.length], [own.steps, own.conditions]);
    const ratios = [reference.model, median, worst.model].map(({ pooled }) => pooled.toPrecision(3));
    assert.deepEqual(ratios.map(Number), [own.reference, own.median, own.worst]);
    if (own.preset === "best") assert.equal(worst.model.sets, 16, "confirmed, see confirmLargest");
    // The history counts the training alone; preparation and the data set are a minute or two beside it.
    const minutes = history.seconds / 60;
    assert.ok(own.minutes >= minutes && own.minutes < minutes + 5, `${own.minutes} and ${minutes} minutes`);
  }
});

test("the document's table of presets is what the command line prints", () => {
  const measuredText = fs.readFileSync(path.join(root, "docs", "measured.md"), "utf8");
  const cells = (line: string) => line.split("|").map((cell) => cell.trim().replace(/^:?-+:?$/, "---"));
  const table = measuredText.split("\n").filter((line) => line.startsWith("|")).map(cells); // prettier-ignore
  for (const line of presetTable(true).split("\n")) {
    assert.ok(
      table.some((row) => row.join("|") === cells(line).join("|")),
      line,
    );
  }
});
