/** What the user of a model or of the solver has to know of fields that nothing refuses, each in a sentence. */
import type { DataSet } from "../dataSet";
import { normaliseCondition } from "../problem";
import type { Sampler } from "../samplers";
import type { ScoreModel } from "../scoreModel";
import { sampledGaussian } from "./gaussianSampling";

/** Variances of standardised fields: of their strongest modes, and of weaker ones that are still seen. */
const VARIANCES = [1, 0.01] as const;
/** Steps are too few if the spread of fields is off by this share. */
const SPREAD_ERROR = 0.1;
/** A condition may be so much outside of what a model was trained on, as a share of it: draws never reach the ends. */
const SLACK = 0.05;

/** How many times as large as it should be the spread of fields is, at the variance where it is worst. */
export function spreadFactor(
  { schedule, noiseLevels }: Pick<ScoreModel, "schedule" | "noiseLevels">,
  sampler: Sampler,
  steps: number,
): number {
  const times = sampler.grid(schedule, steps, noiseLevels);
  // Samplers start from standard normal noise.
  const start = { mean: 0, variance: 1 };
  const factors = VARIANCES.map((variance) =>
    Math.sqrt(sampledGaussian(sampler, schedule, times, { mean: 0, variance }, start).variance / variance),
  );
  return factors.reduce((worst, factor) => (Math.abs(Math.log(factor)) > Math.abs(Math.log(worst)) ? factor : worst)); // prettier-ignore
}

/** What so few steps of a sampler do to fields, and what to change; undefined where they are enough, or the sampler's own. */
export function stepsWarning(
  model: Pick<ScoreModel, "schedule" | "noiseLevels">,
  sampler: Sampler,
  steps: number,
): string | undefined {
  if (steps >= sampler.defaultSteps) return undefined;
  const isOff = (factor: number) => Math.abs(factor - 1) > SPREAD_ERROR;
  const factor = spreadFactor(model, sampler, steps);
  if (!isOff(factor)) return undefined;
  let enough = steps;
  while (enough < sampler.defaultSteps && isOff(spreadFactor(model, sampler, enough)))
    enough = Math.min(2 * enough, sampler.defaultSteps);
  return (
    `With ${steps} ${steps === 1 ? "step" : "steps"} the sampler ${sampler.name} makes fields whose spread is ` +
    `${Number(factor.toPrecision(2))} times what it should be, even of Gaussian data; give --steps ${enough} or more ` +
    `(its own: ${sampler.defaultSteps}).`
  );
}

/** Which conditions lie outside of what a model was trained on; undefined where none does. */
export function conditionsWarning(
  { problem, trainedOn }: Pick<ScoreModel, "problem" | "trainedOn">,
  conditions: ArrayLike<number>,
): string | undefined {
  const outside = problem.conditions.flatMap((condition, k) => {
    const [low, high] = trainedOn[k];
    const [from, to, at] = [low, high, conditions[k]].map((value) => normaliseCondition(condition, value));
    const slack = SLACK * (to - from) + 1e-9;
    if (at >= from - slack && at <= to + slack) return [];
    const { name, unit } = condition;
    return [
      `the ${name.replace(/_/g, " ")} of ${conditions[k]} ${unit} is outside of ${low} to ${high} ${unit}`,
    ];
  });
  if (outside.length === 0) return undefined;
  return `The model was not trained on such conditions: ${outside.join(", and ")}; what it draws there is a guess.`;
}

/** Counts fields with values that have no meaning, such as negative concentrations, in data sets of one problem. */
export class MeaninglessFields {
  private readonly found = new Map<string, { rows: number; smallest: number; min: number; unit: string }>();
  private rows = 0;

  add({ problem, rows, fields }: DataSet): void {
    const { cells } = problem;
    this.rows += rows;
    problem.fields.forEach(({ name, unit, min }, f) => {
      if (min === undefined) return;
      for (let row = 0; row < rows; row++) {
        const start = (row * problem.fields.length + f) * cells;
        const smallest = fields.subarray(start, start + cells).reduce((least, value) => Math.min(least, value), Infinity); // prettier-ignore
        if (smallest >= min) continue;
        const before = this.found.get(name) ?? { rows: 0, smallest, min, unit };
        this.found.set(name, {
          ...before,
          rows: before.rows + 1,
          smallest: Math.min(before.smallest, smallest),
        });
      }
    });
  }

  /** How many fields there were, and the smallest value; undefined where there were none. advice: what to do. */
  warning(advice: string): string | undefined {
    if (this.found.size === 0) return undefined;
    const clauses = [...this.found].map(
      ([name, { rows, smallest, min, unit }]) =>
        `${rows} of ${this.rows} fields ${name} go below ${min} ${unit}, down to ${Number(smallest.toPrecision(3))} ${unit}`,
    );
    return `Some of the fields have no meaning: ${clauses.join(", and ")}; ${advice}.`;
  }
}
