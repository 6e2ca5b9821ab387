import fs from "fs";
import { InputError, shown } from "../errors";

/** One condition of a stored evaluation. */
export interface EvaluatedCondition {
  /** In the problem's order and units. */
  readonly conditions: readonly number[];
  /** See FloorRatio. */
  readonly pooled: number;
  readonly meanError: number;
  readonly stdRatio: number;
}

/** The conditions of a file that `npx porous-sgm evaluate --set ... --json` wrote. Throws InputError for another file. */
export function readEvaluations(file: string): EvaluatedCondition[] {
  const { evaluations } = JSON.parse(fs.readFileSync(file, "utf8")) as {
    evaluations?: readonly {
      readonly conditions: Readonly<Record<string, number>>;
      readonly model: Omit<EvaluatedCondition, "conditions">;
    }[];
  };
  if (!evaluations)
    throw new InputError(`${shown(file)} holds no evaluations; give a file that evaluate wrote.`);
  return evaluations.map(({ conditions, model: { pooled, meanError, stdRatio } }) => ({
    conditions: Object.values(conditions),
    pooled,
    meanError,
    stdRatio,
  }));
}
