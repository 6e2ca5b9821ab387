/** Bad input from a user: the message is one sentence that names the value, what is allowed and what to do. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/**
 * How a value is shown in a message: strings in quotes, control characters escaped, and of long ones the beginning and
 * the end, which tells most in a path.
 */
export function shown(value: unknown): string {
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 15)}...${value.slice(-42)}` : value);
}

/** Returns value if it is a finite number in [min, max]; throws InputError otherwise. */
export function finiteInRange(name: string, value: unknown, min: number, max: number, unit = ""): number {
  const number = asNumber(value);
  if (number >= min && number <= max) return number; // false for NaN
  const suffix = unit === "" ? "" : ` ${unit}`;
  const range =
    min === -Number.MAX_VALUE && max === Number.MAX_VALUE
      ? "a finite number"
      : `a number from ${min} to ${max}${suffix}`;
  throw new InputError(`${name} is ${shown(value)}; give ${range}.`);
}

/** Returns value if it is a finite number; throws InputError otherwise. */
export function finite(name: string, value: unknown): number {
  return finiteInRange(name, value, -Number.MAX_VALUE, Number.MAX_VALUE);
}

/** Returns value if it is a positive number; throws InputError otherwise. */
export function positive(name: string, value: unknown, unit = ""): number {
  const number = asNumber(value);
  if (number > 0 && number < Infinity) return number;
  throw new InputError(`${name} is ${shown(value)}${unit && ` ${unit}`}; give a positive number.`);
}

/** Returns value if it is an integer in [min, max]; throws InputError otherwise. */
export function integerInRange(name: string, value: unknown, min: number, max: number): number {
  const number = asNumber(value);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  const largest = max === Number.MAX_SAFE_INTEGER ? "2^53 - 1" : String(max);
  throw new InputError(`${name} is ${shown(value)}; give a whole number from ${min} to ${largest}.`);
}

/** Returns value if it is an integer in [1, max]; throws InputError otherwise. */
export function positiveInteger(name: string, value: unknown, max = Number.MAX_SAFE_INTEGER): number {
  return integerInRange(name, value, 1, max);
}

/** Returns value if it is one of the names; throws InputError otherwise. */
export function oneOf<T extends string>(name: string, value: unknown, names: readonly T[]): T {
  const found = names.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw new InputError(`${name} is ${shown(value)}; give one of ${names.join(", ")}.`);
}

// Number("") is 0 and Number("0x10") is 16: only plain decimal notation counts as a number here.
const DECIMAL = /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/;

/** The number that a value or its plain decimal text stands for, NaN if none. */
export function asNumber(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && DECIMAL.test(value) ? Number(value) : NaN;
}
