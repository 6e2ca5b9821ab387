/** Exercises that judge an answer in the notebook: that it is right, or what is wrong with it. */

/** One exercise. Its judge computes what it compares with; nothing is looked up. */
export interface Exercise<T> {
  /** The notebook's number and the exercise's, such as "2.1". */
  readonly number: string;
  /** One sentence that says what is wrong with an answer; undefined when it is right. It may throw, too. */
  readonly fault: (answer: T) => string | undefined | Promise<string | undefined>;
}

/**
 * Judges an answer and prints the judgement; an answer that is undefined is one not yet given.
 *
 * Returns nothing, which a notebook would show below the judgement. An answer that makes the judge fail is wrong for the reason it fails.
 */
export async function check<T>(exercise: Exercise<T>, answer: T | undefined): Promise<void> {
  const { number } = exercise;
  if (answer === undefined) {
    console.log(`Exercise ${number}: no answer yet.`);
    return;
  }
  let fault: string | undefined;
  try {
    fault = await exercise.fault(answer);
  } catch (error) {
    fault = error instanceof Error ? error.message : String(error);
  }
  console.log(fault === undefined ? `Exercise ${number}: right.` : `Exercise ${number}: not yet. ${fault}`);
}

/**
 * What is wrong with a number: its type, its being no number, or how far it is from what is expected.
 *
 * Mistakes that people make come first: `mistakes` pairs the value that such a mistake leads to with the sentence
 * that tells it. A value fits within `tolerance`, relative to the expected value's magnitude, or to 1 if that is 0.
 */
export function numberFault(
  answer: number,
  expected: number,
  tolerance: number,
  mistakes: readonly (readonly [value: number, sentence: string])[] = [],
): string | undefined {
  if (typeof answer !== "number" || !Number.isFinite(answer))
    return `${String(answer)} is not a finite number.`;
  const fits = (value: number) => Math.abs(answer - value) <= tolerance * (Math.abs(value) || 1);
  if (fits(expected)) return undefined;
  const known = mistakes.find(([value]) => fits(value));
  if (known) return known[1];
  if (expected !== 0 && fits(-expected)) return "The size is right, the sign is not.";
  const digits = (value: number) => Number(value.toPrecision(3));
  return `${digits(answer)} is too ${answer > expected ? "large" : "small"}.`;
}

/**
 * What is wrong with a list of numbers, element by element: its length, a value that is not finite, or a known mistake,
 * a list that such a mistake leads to with the sentence that tells it. Tolerance relative to the largest expected value.
 */
export function listFault(
  answer: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  mistakes: readonly (readonly [values: ArrayLike<number>, sentence: string])[] = [],
): string | undefined {
  if (answer?.length !== expected.length)
    return `The answer has ${answer?.length ?? "no"} numbers; return ${expected.length}.`;
  const [given, right] = [Array.from(answer), Array.from(expected)];
  const odd = given.find((value) => typeof value !== "number" || !Number.isFinite(value));
  if (odd !== undefined) return `${String(odd)} is not a finite number.`;
  const off = (values: ArrayLike<number>) =>
    Math.max(...given.map((value, i) => Math.abs(value - values[i])));
  const fits = (values: ArrayLike<number>) =>
    off(values) <= tolerance * (Math.max(...Array.from(values, Math.abs)) || 1);
  if (fits(right)) return undefined;
  const known = mistakes.find(([values]) => fits(values));
  if (known) return known[1];
  if (fits(right.map((value) => -value))) return "The size is right, the sign is not.";
  const worst = right.reduce(
    (k, value, i) => (Math.abs(given[i] - value) > Math.abs(given[k] - right[k]) ? i : k),
    0,
  );
  const digits = (value: number) => Number(value.toPrecision(3));
  return `Number ${worst + 1} of the answer is ${digits(given[worst])}; it should be ${digits(right[worst])}.`;
}
