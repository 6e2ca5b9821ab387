/** Conditions that are given: their names and ranges, and whose problem they are of. */
import { finiteInRange, InputError } from "../backend/errors";
import type { Problem } from "../problem";

/** Index of a condition by name. Throws InputError if there is none. */
export function conditionIndex(problem: Problem, name: string): number {
  const index = problem.conditions.findIndex((condition) => condition.name === name);
  if (index >= 0) return index;
  const names = problem.conditions.map((condition) => condition.name).join(", ");
  throw new InputError(`The condition is "${name}"; give one of ${names}.`);
}

/** Checks one vector of conditions against their ranges and returns it as an array. Throws InputError. */
export function checkConditions(problem: Problem, values: ArrayLike<number>): Float64Array {
  if (values.length !== problem.conditions.length) {
    const names = problem.conditions.map((condition) => condition.name).join(", ");
    throw new InputError(
      `There are ${values.length} conditions; give ${problem.conditions.length} numbers: ${names}.`,
    );
  }
  return Float64Array.from(problem.conditions, ({ name, min, max, unit }, k) =>
    finiteInRange(`The ${name.replace(/_/g, " ")}`, values[k], min, max, unit),
  );
}

/** True if two problems are the same, so that their data can be mixed and compared. */
export function sameProblem(a: Problem, b: Problem): boolean {
  const key = (problem: Problem): string =>
    JSON.stringify([problem.name, problem.version, Object.entries(problem.settings).sort()]);
  return key(a) === key(b);
}
