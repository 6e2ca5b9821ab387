/** Weights of particles, and drawing by them. */

/** exp(log weights) scaled to sum one: (rows). */
export function normalised(logWeights: Float64Array): Float64Array {
  const largest = logWeights.reduce((most, value) => Math.max(most, value), -Infinity);
  const weights = logWeights.map((value) => Math.exp(value - largest));
  const sum = weights.reduce((total, value) => total + value, 0);
  return weights.map((value) => value / sum);
}

/** Equally weighted samples that so many weighted ones are worth: 1 / sum w^2. Source: Kish 1965. */
export function effectiveNumber(weights: Float64Array): number {
  return 1 / weights.reduce((sum, value) => sum + value * value, 0);
}

/**
 * Indices of `count` rows drawn by their weights (rows), which sum to one: each row as often as its weight says, up to one.
 * u: uniform in [0, 1). Source: systematic resampling, Carpenter, Clifford & Fearnhead 1999.
 */
export function systematic(weights: Float64Array, count: number, u: number): Int32Array {
  const chosen = new Int32Array(count);
  let [row, reached] = [0, weights[0]];
  for (let i = 0; i < count; i++) {
    const at = (i + u) / count;
    while (reached <= at && row + 1 < weights.length) reached += weights[++row];
    chosen[i] = row;
  }
  return chosen;
}
