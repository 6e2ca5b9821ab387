import type { Random } from "./random";
import type { GaussianProcess } from "./gaussianProcess";

/** Bounds of the porosity, dimensionless. */
export const POROSITY_MIN = 0.2;
export const POROSITY_MAX = 0.5;

/** Maps Gaussian values to porosity 0.2 + 0.3 sigmoid(value), in place (n); returns it. */
export function squashToPorosity(values: Float64Array): Float64Array {
  for (let i = 0; i < values.length; i++) {
    values[i] = POROSITY_MIN + (POROSITY_MAX - POROSITY_MIN) / (1 + Math.exp(-values[i]));
  }
  return values;
}

/** Draws one porosity field into out (n) and returns it. */
export function drawPorosity(process: GaussianProcess, random: Random, out: Float64Array): Float64Array {
  return squashToPorosity(process.draw(random, out));
}
