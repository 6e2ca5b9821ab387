import { InputError, positiveInteger } from "../backend/errors";

/** Counts in equal bins, as a density. */
export interface Histogram {
  /** Middles of the bins. */
  readonly centres: Float64Array;
  /** Share of all values in a bin over its width, so that values inside the range integrate to their share. */
  readonly density: Float64Array;
}

/** Histogram of values over [low, high); values outside count towards the total only. Throws InputError. */
export function histogram(values: Float64Array, low: number, high: number, bins: number): Histogram {
  const { index, centres, width } = binning(low, high, bins);
  const density = new Float64Array(bins);
  for (const value of values) {
    const bin = index(value);
    if (bin >= 0) density[bin] += 1 / (values.length * width);
  }
  return { centres, density };
}

/**
 * Mean of y in equal bins of x over [low, high), with its standard error; bins of fewer than `least` values are NaN.
 *
 * Throws InputError for a range or a number of bins that cannot be.
 */
export function binnedMean(
  x: Float64Array,
  y: Float64Array,
  { low, high, bins, least = 10 }: { low: number; high: number; bins: number; least?: number },
): { readonly centres: Float64Array; readonly mean: Float64Array; readonly error: Float64Array } {
  const { index, centres } = binning(low, high, bins);
  const [count, sum, squares] = [new Float64Array(bins), new Float64Array(bins), new Float64Array(bins)];
  x.forEach((value, i) => {
    const bin = index(value);
    if (bin < 0) return;
    count[bin]++;
    sum[bin] += y[i];
    squares[bin] += y[i] * y[i];
  });
  const mean = sum.map((value, k) => (count[k] < least ? NaN : value / count[k]));
  const error = squares.map((value, k) =>
    Math.sqrt(Math.max(0, value / count[k] - mean[k] ** 2) / (count[k] - 1)),
  );
  return { centres, mean, error };
}

function binning(low: number, high: number, bins: number) {
  positiveInteger("The number of bins", bins);
  if (!(low < high)) throw new InputError(`The bins run from ${low} to ${high}; give two rising numbers.`);
  const width = (high - low) / bins;
  return {
    width,
    centres: Float64Array.from({ length: bins }, (_, k) => low + (k + 0.5) * width),
    index: (value: number) => (value >= low && value < high ? Math.floor((value - low) / width) : -1),
  };
}
