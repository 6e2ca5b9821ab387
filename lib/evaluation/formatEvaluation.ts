import type { Problem } from "../problem";
import { breakEven, type Cost } from "./breakEven";
import { formatComparison } from "./compare";
import { largestRatio, replaced } from "./confirm";
import type { Evaluation, FullEvaluation } from "./evaluate";
import type { FloorRatio } from "./floorRatio";
import { median } from "./summary";

const LABEL_WIDTH = 10;

/** Column heads of the lines below. */
export function evaluationHead({ conditions }: Problem): string {
  return columns("", [
    ...conditions.map(({ symbol, unit }) => `${symbol} (${unit})`),
    "floor ratio",
    "+-",
    "pooled",
    "mean error",
    "std ratio",
  ]);
}

/** One line for one set of conditions. */
export function evaluationLine(label: string, { conditions, model }: Evaluation): string {
  const line = columns(label, [...Array.from(conditions, short), ...ratios(model)]);
  return model.pinnedExact ? line : `${line}  pinned cells not exact`;
}

/** The last lines: medians, the conditions of the largest floor ratio and, if it is there, the reference. */
export function evaluationSummary(
  evaluations: readonly Evaluation[],
  reference?: Evaluation,
  again: readonly Evaluation[] = [],
): string {
  const { worst, ...medians } = summariseEvaluations(evaluations, again);
  const blanks = Array.from(worst.conditions, () => "");
  const { floorRatio, pooled, meanError, stdRatio } = medians;
  return [
    columns("median", [...blanks, digits(floorRatio), "", ...[pooled, meanError, stdRatio].map(digits)]),
    evaluationLine("worst", worst),
    ...(reference ? [evaluationLine("reference", reference)] : []),
  ].join("\n");
}

/**
 * Medians over conditions, and the evaluation with the largest pooled floor ratio, which scatters least; where a condition
 * was measured again (see confirmLargest), that decides.
 */
export function summariseEvaluations(
  evaluations: readonly Evaluation[],
  again: readonly Evaluation[] = [],
): {
  floorRatio: number;
  pooled: number;
  meanError: number;
  stdRatio: number;
  worst: Evaluation;
} {
  const over = (of: (model: FloorRatio) => number) => median(evaluations.map(({ model }) => of(model)));
  return {
    floorRatio: over((model) => model.floorRatio),
    pooled: over((model) => model.pooled),
    meanError: over((model) => model.meanError),
    stdRatio: over((model) => model.stdRatio),
    worst: largestRatio(replaced(evaluations, again)),
  };
}

/** Everything about one set of conditions: the comparison of one pair of sets, the floor ratios, the cost. */
export function formatFullEvaluation(problem: Problem, evaluation: FullEvaluation, cost: Cost): string {
  const { comparison, model, controls } = evaluation;
  const { nearest } = controls;
  const place = problem.conditions.map(({ symbol }, k) => `${symbol} ${short(nearest.conditions[k])}`);
  const line = (label: string, ratio: FloorRatio) =>
    label.padEnd(36) + ratios(ratio).map((text) => text.padStart(12)).join(""); // prettier-ignore
  return [
    formatComparison(comparison),
    "",
    `${model.sets} sets of ${model.rows} rows`.padEnd(36) +
      ["floor ratio", "+-", "pooled", "mean error", "std ratio"].map((text) => text.padStart(12)).join(""),
    line("model", model),
    line("PDE, further sets", controls.pde),
    line("Gaussian of PDE's mean, covariance", controls.gaussian),
    line("PDE at nearest training conditions", nearest),
    `expected of the PDE: floor ratio 1, mean error ${digits(model.meanErrorFloor)}, std ratio 1`,
    `nearest training conditions: ${place.join(", ")}`,
    "",
    formatCost(cost),
  ].join("\n");
}

/** What the fields cost and from which number of fields on the training pays, in two lines. */
export function formatCost(cost: Cost): string {
  const { fields, solverSeconds, modelSeconds, trainingSeconds, trainingFields } = cost;
  const seconds = (value: number) => (Number.isNaN(value) ? "unknown" : `${digits(value)} s`);
  const data = Number.isNaN(trainingFields) ? "" : ` on ${trainingFields} fields`;
  const from = breakEven(cost);
  const answer =
    from === Infinity
      ? `never: a field costs the model ${digits(modelSeconds / solverSeconds)} times the solver's time`
      : Number.isNaN(from)
        ? "unknown, as the model does not tell how long it was trained"
        : `from ${Math.ceil(from)} fields on`;
  return [
    `${fields} fields: solver ${seconds(solverSeconds)}, model ${seconds(modelSeconds)}; training ${seconds(trainingSeconds)}${data}`,
    `the training pays ${answer}`,
  ].join("\n");
}

function ratios({ floorRatio, spread, pooled, meanError, stdRatio }: FloorRatio): string[] {
  return [
    digits(floorRatio),
    Number.isNaN(spread) ? "-" : digits(spread),
    digits(pooled),
    digits(meanError),
    digits(stdRatio),
  ];
}

function columns(label: string, texts: readonly string[]): string {
  return label.padEnd(LABEL_WIDTH) + texts.map((text) => text.padStart(12)).join("");
}

function digits(value: number): string {
  return value.toPrecision(3);
}

/** Up to four digits, without trailing zeros. */
function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
