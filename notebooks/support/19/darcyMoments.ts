/** Mean and standard deviation of the head in a column of log-normal conductivity, by their integrals. */

/** Points of the midpoint rule. */
const POINTS = 400;

/**
 * Moments of h(x) = f int_x^1 s exp(-sigma g(s)) ds with a Gaussian process g of covariance exp(-d^2 / (2 l^2)):
 * positions x and correlation length l in m, f in 1/m; mean and std (positions) in m.
 *
 * E h = f (1 - x^2) / 2 exp(sigma^2 / 2); Var h = f^2 exp(sigma^2) int int s t (exp(sigma^2 rho(s - t)) - 1) ds dt, as
 * E exp(-sigma (g(s) + g(t))) = exp(sigma^2 (1 + rho)).
 */
export function darcyMoments(
  positions: ArrayLike<number>,
  sigma: number,
  f: number,
  correlationLength: number,
): { mean: Float64Array; std: Float64Array } {
  const x = Float64Array.from(positions);
  const mean = x.map((at) => ((f * (1 - at ** 2)) / 2) * Math.exp(sigma ** 2 / 2));
  const std = x.map((at) => {
    const step = (1 - at) / POINTS;
    const nodes = Array.from({ length: POINTS }, (_, i) => at + (i + 0.5) * step);
    // The correlation depends on the distance alone.
    const excess = nodes.map((_, d) => {
      return Math.expm1(sigma ** 2 * Math.exp(-0.5 * ((d * step) / correlationLength) ** 2));
    });
    let sum = 0;
    for (let i = 0; i < POINTS; i++) {
      for (let j = 0; j < POINTS; j++) sum += nodes[i] * nodes[j] * excess[Math.abs(i - j)];
    }
    return f * step * Math.sqrt(Math.exp(sigma ** 2) * sum);
  });
  return { mean, std };
}
