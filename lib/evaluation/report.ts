/** Comparisons and evaluations as text, one line a number or a set of conditions. */
import type { Problem } from "../problem";
import type { Comparison, WithFloor } from "./compare";
import type { Evaluation, FullEvaluation } from "./evaluate";
import type { FloorRatio } from "./floorRatio";
import type { HeldOutEvaluation } from "./imported";
import { summariseEvaluations } from "./manyConditions";
import { tableLine } from "./table";

const NUMBER_WIDTH = 12;
const RATIOS = ["floor ratio", "+-", "pooled", "mean error", "std ratio"];

/** The comparison as a table, sample and floor side by side. */
export function formatComparison(comparison: Comparison): string {
  const { rows, fields, modes, imbalance, energyDistance, pValue, floorRatio } = comparison;
  const both = (label: string, { sample, floor }: WithFloor) => line(label, 48, [sample, floor].map(digits));
  const lines = [line(`${rows} rows in each set`, 48, ["sample", "floor"])];
  for (const field of fields) {
    lines.push(
      `${field.name} (${field.unit})`,
      both("  mean error, rms (reference std)", field.meanError),
      both(`  mean error, largest (${field.unit})`, field.largestMeanError),
      both("  standard deviation, ratio", field.stdRatio),
      both("  2.5 % point error, rms (reference std)", field.lowerPointError),
      both("  97.5 % point error, rms (reference std)", field.upperPointError),
      both("  roughness, ratio", field.roughnessRatio),
    );
    if (field.pinnedCells > 0) {
      const verdict = field.pinnedExact ? "exact" : "not exact";
      const label = `  pinned cells: ${field.pinnedCells}, ${verdict}; off by (${field.unit})`;
      lines.push(both(label, field.pinnedDeviation));
    }
  }
  lines.push("principal modes of the reference");
  modes.forEach(({ share, stdRatio, skewness, kurtosis }, k) => {
    lines.push(
      both(`  mode ${k + 1}, ${digits(100 * share)} % of variance: std, ratio`, stdRatio),
      both("    skewness", skewness),
      both("    excess kurtosis", kurtosis),
    );
  });
  if (imbalance) lines.push(both("imbalance of the fluxes, rms", imbalance));
  lines.push(
    both("energy distance (standardised cells)", energyDistance),
    both("permutation p-value (small = distinguishable)", pValue),
    both("floor ratio (1 = indistinguishable)", floorRatio),
  );
  return lines.join("\n");
}

/** A comparison with rows that were held out: the fields, then fields and conditions together. */
export function formatHeldOut({ fields, joint }: HeldOutEvaluation): string {
  const both = (label: string, { sample, floor }: WithFloor) => line(label, 48, [sample, floor].map(digits));
  return [
    formatComparison(fields),
    "fields and conditions together",
    both("  permutation p-value", joint.pValue),
    both("  floor ratio", joint.floorRatio),
  ].join("\n");
}

/** Column heads of the lines below. */
export function evaluationHead({ conditions }: Problem): string {
  return evaluationColumns("", [...conditions.map(({ symbol, unit }) => `${symbol} (${unit})`), ...RATIOS]);
}

/** One line for one set of conditions. */
export function evaluationLine(label: string, { conditions, model }: Evaluation): string {
  const text = evaluationColumns(label, [...Array.from(conditions, short), ...ratios(model)]);
  return model.pinnedExact ? text : `${text}  pinned cells not exact`;
}

/** The last lines: medians, the conditions of the largest floor ratio and, if it is there, the reference. */
export function evaluationSummary(
  evaluations: readonly Evaluation[],
  reference?: Evaluation,
  again: readonly Evaluation[] = [],
): string {
  const { worst, floorRatio, pooled, meanError, stdRatio } = summariseEvaluations(evaluations, again);
  const blanks = Array.from(worst.conditions, () => "");
  const medians = [digits(floorRatio), "", ...[pooled, meanError, stdRatio].map(digits)];
  return [
    evaluationColumns("median", [...blanks, ...medians]),
    evaluationLine("worst", worst),
    ...(reference ? [evaluationLine("reference", reference)] : []),
  ].join("\n");
}

/** Everything about one set of conditions: the comparison of one pair of sets, and the floor ratios. */
export function formatFullEvaluation(
  problem: Problem,
  { comparison, model, controls }: FullEvaluation,
): string {
  const { nearest } = controls;
  const place = problem.conditions.map(({ symbol }, k) => `${symbol} ${short(nearest.conditions[k])}`);
  const ratioLine = (label: string, ratio: FloorRatio) => line(label, 36, ratios(ratio));
  return [
    formatComparison(comparison),
    "",
    line(`${model.sets} sets of ${model.rows} rows`, 36, RATIOS),
    ratioLine("model", model),
    ratioLine("PDE, further sets", controls.pde),
    ratioLine("Gaussian of PDE's mean, covariance", controls.gaussian),
    ratioLine("PDE at nearest training conditions", nearest),
    `expected of the PDE: floor ratio 1, mean error ${digits(model.meanErrorFloor)}, std ratio 1`,
    `nearest training conditions: ${place.join(", ")}`,
  ].join("\n");
}

function ratios({ floorRatio, spread, pooled, meanError, stdRatio }: FloorRatio): string[] {
  const spreadText = Number.isNaN(spread) ? "-" : digits(spread);
  return [digits(floorRatio), spreadText, ...[pooled, meanError, stdRatio].map(digits)];
}

function evaluationColumns(label: string, texts: readonly string[]): string {
  return line(label, 10, texts);
}

/** A label and numbers in columns of one width: lines are printed one by one, before the others are known. */
function line(label: string, width: number, texts: readonly string[]): string {
  return tableLine([label, ...texts], [width, ...texts.map(() => NUMBER_WIDTH)]).join("");
}

function digits(value: number): string {
  return value.toPrecision(3);
}

/** Up to four digits, without trailing zeros. */
function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
