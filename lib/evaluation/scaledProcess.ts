import { finiteInRange, InputError, positive } from "../backend/errors";
import type { Random } from "../random";

/** Distance between bumps in correlation lengths: small enough for 8 digits of the covariance, see ScaledProcess. */
const STEP = 0.5;
/** Bumps further away than this many correlation lengths, exp(-36) high, are left out. */
const CUTOFF = 6;

/**
 * One realisation of a zero-mean Gaussian process with covariance exp(-d^2 / (2 l^2)), for every correlation length l.
 *
 * A sum of bumps with normal heights z_j, half a correlation length apart, that widen about an origin as l grows:
 *     g(x) = sqrt(h) (2 / pi)^(1/4) sum_j z_j exp(-(u - j h)^2),   u = (x - origin) / l,   h = 1/2.
 * Products of bumps sum to the covariance, up to 2 exp(-pi^2 / (2 h^2)) = 5e-9: Poisson's summation formula. Unlike
 * draws by a Cholesky factor, it is smooth and known at every x, hence on grids of any size.
 */
export class ScaledProcess {
  private readonly heights: Float64Array;
  private readonly last: number;

  /** reach: largest distance from the origin in correlation lengths at which it will be evaluated. */
  constructor(
    random: Random,
    readonly reach: number,
  ) {
    finiteInRange("The reach", reach, 0, 1e6);
    this.last = Math.ceil((reach + CUTOFF) / STEP);
    this.heights = random.fillNormal(new Float64Array(2 * this.last + 1));
  }

  /** Values at points (n) in m for a correlation length and an origin in m: (n). Throws InputError out of reach. */
  at(points: Float64Array, correlationLength: number, origin: number): Float64Array {
    positive("The correlation length", correlationLength, "m");
    const scale = Math.sqrt(STEP) * (2 / Math.PI) ** 0.25;
    return points.map((x) => {
      const u = (x - origin) / correlationLength;
      if (Math.abs(u) > this.reach + 1e-9) {
        throw new InputError(
          `The point ${x} m is ${Math.abs(u)} correlation lengths away; give one within ${this.reach}.`,
        );
      }
      const centre = Math.round(u / STEP);
      const width = CUTOFF / STEP;
      let sum = 0;
      for (let j = Math.max(-this.last, centre - width); j <= Math.min(this.last, centre + width); j++) {
        sum += this.heights[j + this.last] * Math.exp(-((u - j * STEP) ** 2));
      }
      return scale * sum;
    });
  }
}
