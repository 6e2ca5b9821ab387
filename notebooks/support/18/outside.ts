/** Fields at conditions outside of their ranges, where the library refuses to draw: to see what a model makes of them. */
import { finish } from "../../../lib/backend/interrupt";
import type { tf } from "../../../lib/backend/tensors";
import type { DataSet } from "../../../lib/dataSet";
import type { PresetModel } from "../../../lib/presets/createModel";
import { simulateAt } from "../../../lib/presets/simulate";
import type { Problem } from "../../../lib/problem";
import { drawBatch } from "../../../lib/sampling";

/** Draws `count` fields of a model with a Gaussian part at any conditions. */
export async function drawOutside(
  model: PresetModel,
  conditions: readonly number[],
  count: number,
  seed: number,
  keepBias = false,
): Promise<DataSet> {
  const at = Float64Array.from(conditions);
  const { problem, preconditioner, sampler, schedule, noiseLevels } = model;
  const steps = sampler.defaultSteps;
  const times = sampler.grid(schedule, steps, noiseLevels);
  const drawing = finish(preconditioner.drawing!(model, at, sampler, times, keepBias));
  let fields = new Float64Array();
  try {
    for (const { step, x } of drawBatch(model, drawing, count, sampler, times, seed, 0)) {
      if (step < steps) continue;
      const drawn: tf.Tensor3D = drawing.fields(x);
      fields = Float64Array.from(preconditioner.toFields(at, drawn.dataSync() as Float32Array));
      drawn.dispose();
    }
  } finally {
    drawing.dispose();
  }
  const rows = Float64Array.from({ length: count * at.length }, (_, i) => at[i % at.length]);
  return { problem, rows: count, conditions: rows, fields };
}

/** The solver there, whose only limits are those of the equations. */
export function solveOutside(
  problem: Problem,
  conditions: readonly number[],
  count: number,
  seed: number,
): DataSet {
  const wide = problem.conditions.map((condition, k) => ({
    ...condition,
    min: Math.min(condition.min, conditions[k]),
    max: Math.max(condition.max, conditions[k]),
  }));
  return simulateAt({ ...problem, conditions: wide }, conditions, count, seed);
}
