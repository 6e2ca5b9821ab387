import { InputError } from "../../../lib/backend/errors";
import type { GaussianMixture } from "../../../lib/evaluation/gaussianMixture";
import type { Denoiser } from "../../../lib/sde";
import type { Schedule } from "../../../lib/schedule";

/**
 * Smallest value that the denoising loss of the noise, E|z_model - z|^2 / d at time t, can take: what of z is not in x_t.
 *
 * It is 1 - std^2 E|score(x_t)|^2 / d, as the best guess E[z | x_t] is -std score; in units of z^2, a mean over the d = 1
 * or 2 dimensions. The expectation is summed on a lattice of half the smallest standard deviation, which is exact to
 * round-off for sums of Gaussians. Throws InputError for other dimensions. Source: Vincent 2011, section 4.
 */
export function noiseLossFloor(mixture: GaussianMixture, schedule: Schedule, t: number): number {
  const d = mixture.dimension;
  if (d > 2) throw new InputError(`The mixture has ${d} dimensions; give one of 1 or 2.`);
  const marginal = mixture.marginal(schedule, t);
  const spreads = marginal.components.flatMap(({ variances }) => [...variances]).map(Math.sqrt);
  const centres = marginal.components.flatMap(({ mean }) => [...mean]).map(Math.abs);
  const spacing = Math.min(...spreads) / 2;
  const reach = Math.max(...centres) + 8 * Math.max(...spreads);
  const side = 2 * Math.ceil(reach / spacing) + 1;
  const at = (k: number) => (k - (side - 1) / 2) * spacing;
  const lattice = Float64Array.from({ length: side ** d * d }, (_, i) => {
    const point = Math.floor(i / d);
    return at(i % d === 0 ? point % side : Math.floor(point / side));
  });
  const [score, log] = [marginal.score(lattice), marginal.logDensity(lattice)];
  let squares = 0;
  score.forEach((value, i) => (squares += value * value * Math.exp(log[Math.floor(i / d)])));
  return 1 - (schedule.std(t) ** 2 * squares * spacing ** d) / d;
}

/**
 * Excess of a denoiser's noise loss over its floor at time t: the mean of |z_model - E[z | x_t]|^2 / d at given points.
 *
 * points: draws of x_t, rows x d. As z = (x - mean D) / std, it is (mean / std)^2 |D - D exact|^2, and also
 * std^2 |score - exact score|^2, each a mean over the d dimensions.
 */
export function noiseError(
  denoise: Denoiser<Float64Array>,
  mixture: GaussianMixture,
  schedule: Schedule,
  t: number,
  points: Float64Array,
): number {
  const [learned, exact] = [denoise(points, t), mixture.denoiser(schedule)(points, t)];
  const square = learned.reduce((sum, value, i) => sum + (value - exact[i]) ** 2, 0);
  return square / (points.length * schedule.noiseLevel(t) ** 2);
}
