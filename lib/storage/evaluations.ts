import { InputError, shown } from "../backend/errors";
import type { Evaluation } from "../evaluation/evaluate";
import { replaced } from "../evaluation/manyConditions";
import { fileError, readRegularFile } from "./files";

/** A file that `npx porous-sgm evaluate --set ... --json` wrote. */
export interface StoredEvaluations {
  /** What was evaluated, and how, by name. */
  readonly head: Readonly<Record<string, unknown>>;
  /** In the order of the set of conditions. */
  readonly evaluations: readonly Evaluation[];
  /** Those that replace them (see confirmLargest). */
  readonly again: readonly Evaluation[];
  readonly reference: Evaluation;
}

/** One condition of a stored evaluation. */
export interface EvaluatedCondition {
  /** In the problem's order and units. */
  readonly conditions: readonly number[];
  /** See FloorRatio. */
  readonly pooled: number;
  readonly meanError: number;
  readonly stdRatio: number;
}

/** The conditions of such a file, of each its last measurement. Throws InputError for any other. */
export function readEvaluations(file: string): EvaluatedCondition[] {
  const { evaluations, again } = storedEvaluations(file);
  return replaced(evaluations, again).map(({ conditions, model: { pooled, meanError, stdRatio } }) => ({
    conditions: Array.from(conditions),
    pooled,
    meanError,
    stdRatio,
  }));
}

/** All of such a file. Throws InputError for any other. */
export function storedEvaluations(file: string): StoredEvaluations {
  try {
    const stored = JSON.parse(readRegularFile(file).toString("utf8")) as Stored;
    const { evaluations, again = [], reference, ...head } = stored;
    return {
      head,
      evaluations: evaluations.map(evaluation),
      again: again.map(evaluation),
      reference: evaluation(reference),
    };
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw fileError("read", file, error);
    throw new InputError(
      `${shown(file)} holds no evaluations; give a file that evaluate --set wrote with --json.`,
    );
  }
}

/** As JSON has an evaluation: conditions by name, and null for what is no number. */
interface StoredEvaluation extends Omit<Evaluation, "conditions"> {
  readonly conditions: Readonly<Record<string, number>>;
}

interface Stored {
  readonly evaluations: readonly StoredEvaluation[];
  readonly again?: readonly StoredEvaluation[];
  readonly reference: StoredEvaluation;
}

function evaluation({ conditions, model, ...rest }: StoredEvaluation): Evaluation {
  return {
    ...rest,
    conditions: Float64Array.from(Object.values(conditions)),
    model: { ...model, spread: model.spread ?? NaN },
  };
}
