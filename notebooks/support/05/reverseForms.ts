import { quadraticGrid, type Sampler } from "../../../lib/samplers";

/** Coefficients of dY = beta (onState Y + onScore score) ds + noise sqrt(beta) dB, s running from noise to data. */
export interface ReverseForm {
  readonly onState: number;
  readonly onScore: number;
  readonly noise: number;
}

/**
 * Right and wrong forms of the reverse process.
 *
 * Right are sde (Anderson 1982) and ode, the probability-flow ODE (Song et al. 2021, equation (13)); any noise n with
 * onScore = (1 + n^2) / 2 is. The blog prints the others: wrongSign is its equation (2) with ds put where it is
 * missing and the rate beta of its equation (4); halfScore is its modified equation with s for the score itself.
 */
export const reverseForms = {
  sde: { onState: 0.5, onScore: 1, noise: 1 },
  ode: { onState: 0.5, onScore: 0.5, noise: 0 },
  wrongSign: { onState: 0.5, onScore: -1, noise: 1 },
  halfScore: { onState: 0.5, onScore: 0.5, noise: 1 },
} as const satisfies Record<string, ReverseForm>;

/** Euler-Maruyama on a form of the reverse process; with reverseForms.sde it is the sampler euler-maruyama. */
export function reverseSampler(form: ReverseForm): Sampler {
  const { onState, onScore, noise } = form;
  return {
    name: `euler(${onState}, ${onScore}, ${noise})`,
    networkCallsPerStep: 1,
    defaultSteps: 500,
    grid: quadraticGrid,
    step({ schedule, space, denoise }, { x, t }, next, draw) {
      const spread = schedule.beta(t) * (t - next);
      const variance = schedule.std(t) ** 2; // score = (mean D - x) / variance
      return {
        t: next,
        x: space.combine([
          [1 + spread * (onState - onScore / variance), x],
          [(spread * onScore * schedule.mean(t)) / variance, denoise(x, t)],
          [noise * Math.sqrt(spread), draw()],
        ]),
      };
    },
  };
}

/**
 * Variance at the end of a form of the reverse process when the data are N(0, dataVariance) and it starts from x_T's
 * own distribution: dataVariance for a right form.
 *
 * The score is linear then, -x / w with w the variance of x_t, and so the variance V of Y obeys
 * dV/ds = beta (2 (onState - onScore / w) V + noise^2): solved by Heun's method in alpha, the integral of beta.
 */
export function reverseVariance(
  form: ReverseForm,
  dataVariance: number,
  totalAlpha: number,
  steps = 2000,
): number {
  const { onState, onScore, noise } = form;
  const variance = (alpha: number) => 1 + (dataVariance - 1) * Math.exp(-alpha); // of x_t
  const slope = (v: number, alpha: number) => 2 * (onState - onScore / variance(alpha)) * v + noise * noise;
  const h = totalAlpha / steps;
  let v = variance(totalAlpha);
  for (let k = 0; k < steps; k++) {
    const alpha = totalAlpha - k * h;
    const first = slope(v, alpha);
    v += 0.5 * h * (first + slope(v + h * first, alpha - h));
  }
  return v;
}
