/** Distributions to look at: mixtures of Gaussians with mean about 0 and variance about 1, whose score is a formula. */
import { gaussian, GaussianMixture } from "./gaussianMixture";

/** Two peaks of unlike weight and width on a line (d = 1). */
export function twoPeaks(): GaussianMixture {
  return new GaussianMixture([gaussian(0.6, [-0.9], [[0.05]]), gaussian(0.4, [1.2], [[0.12]])]);
}

/** Three clusters in the plane (d = 2): two slanted ones and a small round one. */
export function threeClusters(): GaussianMixture {
  return new GaussianMixture([
    gaussian(0.5, [-1.2, -0.6], slanted(0.12, 0.08, 0.12)),
    gaussian(0.3, [1.3, 0.9], slanted(0.2, -0.12, 0.1)),
    gaussian(0.2, [0.8, -1.4], slanted(0.03, 0, 0.03)),
  ]);
}

/** Two peaks on a line that move apart and exchange their weights as the condition p goes from 0 to 1. */
export function movingPeaks(p: number): GaussianMixture {
  return new GaussianMixture([
    gaussian(0.7 - 0.4 * p, [-0.2 - 0.9 * p], [[0.05]]),
    gaussian(0.3 + 0.4 * p, [0.4 + 0.8 * p], [[0.08]]),
  ]);
}

function slanted(first: number, both: number, second: number): number[][] {
  return [
    [first, both],
    [both, second],
  ];
}
