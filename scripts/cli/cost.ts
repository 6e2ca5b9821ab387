/** What fields cost by the solver and by a model. */
export interface Cost {
  /** Fields that were timed. */
  readonly fields: number;
  /** Seconds that the solver took for them. */
  readonly solverSeconds: number;
  /** Seconds that the model took for as many. */
  readonly modelSeconds: number;
  /** Seconds of the training, NaN if unknown. */
  readonly trainingSeconds: number;
  /** Fields that the solver made for the training, NaN if unknown. */
  readonly trainingFields: number;
}

/**
 * Number of fields from which on the model has been cheaper than the solver: training and its data included.
 *
 * fields * solver = training + training data * solver + fields * model, all in seconds. Infinity where a field costs
 * the model as much as the solver or more; NaN where the cost of the training is unknown.
 */
export function breakEven(cost: Cost): number {
  const { fields, solverSeconds, modelSeconds, trainingSeconds, trainingFields } = cost;
  const [solver, model] = [solverSeconds / fields, modelSeconds / fields];
  if (model >= solver) return Infinity;
  return (trainingSeconds + trainingFields * solver) / (solver - model);
}

/** What the fields cost and from which number of fields on the training pays, in two lines. */
export function formatCost(cost: Cost): string {
  const { fields, solverSeconds, modelSeconds, trainingSeconds, trainingFields } = cost;
  const digits = (value: number): string => value.toPrecision(3);
  const seconds = (value: number): string => (Number.isNaN(value) ? "unknown" : `${digits(value)} s`);
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
