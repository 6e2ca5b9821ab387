/** The figures of notebooks 15 and 16, as data. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { movingPeaks } from "../lib/evaluation/toys";
import { Random } from "../lib/random";
import * as conditional from "../notebooks/support/15/conditionalFigures";
import { linesAndFlowFigure, stepsFigure } from "../notebooks/support/16/flowFigures";
import { matchesSnapshot } from "./snapshots";

const draws = (p: number) => movingPeaks(p).sample(50, new Random(1));
const bins = {
  centres: Float64Array.of(-1, 0, 1),
  mean: Float64Array.of(-0.5, NaN, 0.5),
  error: Float64Array.of(0.1, NaN, 0.1),
};
const ratio = (p: number) => ({ p, mean: 1 + p, low: 0.5, high: 3 });
const { x0, z } = { x0: Float64Array.of(1, -1), z: Float64Array.of(0.5, 0) };

const figures = {
  "conditional-densities": conditional.densitiesFigure([0, 1].map((p) => ({ p, law: movingPeaks(p) }))),
  "conditional-means": conditional.conditionalMeansFigure([{ name: "p = 0", bins, exact: (x) => x }]),
  "conditional-ratios": conditional.ratiosFigure([0, 0.5, 1].map(ratio), [
    [0, 0.4],
    [0.6, 0.8],
  ]),
  "conditional-generated": conditional.generatedFigure([
    { title: "p = 0", values: draws(0), law: movingPeaks(0) },
  ]),
  "conditional-curves": conditional.curvesFigure({ x: "w (1)", y: "std (1)", text: "std" }, [
    { name: "a", x: [0, 1], y: [1, 2], dash: "dash" },
  ]),
  "flow-lines": linesAndFlowFigure({ x0, z }, { r: [1, 0.8, 0.6, 0.4, 0.2], states: [z, z, z, z, x0] }),
  "flow-steps": stepsFigure({ y: "error (1)", text: "Errors" }, [{ name: "a", x: [5, 10], y: [0.1, 0.05] }]),
};

for (const [name, figure] of Object.entries(figures)) {
  test(`${name} is the stored figure, says what it shows, and names its axes with units`, () => {
    matchesSnapshot(name, figure);
    assert.ok(figure.text);
    for (const [key, axis] of Object.entries(figure.layout)) {
      if (!/^[xy]axis/.test(key)) continue;
      const { title } = axis as { title: { text: string } };
      assert.match(title.text, /\(.+\)$/, `${name}: ${key}`);
    }
  });
}

test("a condition that the training did not see has another mark", () => {
  const [seen, unseen] = figures["conditional-ratios"].data as unknown as { x: number[] }[];
  assert.deepEqual([seen.x, unseen.x], [[0], [0.5, 1]]);
});
