import { karrasGrid } from "./odeSamplers";
import type { Sampler } from "../samplers";

/**
 * The probability-flow ODE with its Gaussian part solved exactly and Adams-Bashforth of order 2 for the residual; one network
 * call a step. For Gaussian data of the process's covariance any number of steps is exact.
 *
 * In a mode of variance l let w = y / sqrt(l + s^2) be the whitened y = x / mean(t), theta = atan(s / sqrt(l)), and
 * F = (D - l / (l + s^2) y) sqrt(l + s^2) / (s sqrt(l)): what a network returns under EDM's preconditioning of that
 * mode. Then dy/ds = (y - D) / s reads dw/dtheta = -F, and
 * w' = w + (theta - theta') F~ with F~ = F + (F - F_last) (theta - theta') / (2 (theta_last - theta)).
 * The first step and a step to noise level 0 take F~ = F. Derived from EDM's equations (1) and (7), Karras et al. 2022;
 * for l = 1 theta is the angle of Salimans & Ho 2022, appendix D, and F their v.
 */
export const gaussianExact: Sampler = {
  name: "gaussian-exact-2m",
  networkCallsPerStep: 1,
  defaultSteps: 16,
  grid: karrasGrid,
  step({ schedule, space, denoise, combineModes }, { x, t, previous }, next) {
    const combine =
      combineModes ??
      ((terms) => space.combine(terms.map(([coefficient, term]) => [coefficient(1), term] as const)));
    const [s, sNext] = [schedule.noiseLevel(t), schedule.noiseLevel(next)];
    const error = (l: number) => s * Math.sqrt(l / (l + s * s));
    const residual = combine([
      [(l) => 1 / error(l), denoise(x, t)],
      [(l) => -l / ((l + s * s) * schedule.mean(t) * error(l)), x],
    ]);
    const turn = (from: number, to: number) => (l: number) =>
      Math.atan2(from, Math.sqrt(l)) - Math.atan2(to, Math.sqrt(l));
    const angle = turn(s, sNext);
    const total = (l: number) => schedule.mean(next) * Math.sqrt(l + sNext * sNext);
    const last = previous && next > 0 ? turn(schedule.noiseLevel(previous.t), s) : undefined;
    const ahead = (l: number) => (last ? angle(l) / (2 * last(l)) : 0);
    const terms: [(l: number) => number, typeof x][] = [
      [(l) => total(l) / (schedule.mean(t) * Math.sqrt(l + s * s)), x],
      [(l) => total(l) * angle(l) * (1 + ahead(l)), residual],
    ];
    if (previous && last) terms.push([(l) => -total(l) * angle(l) * ahead(l), previous.kept]);
    return { t: next, x: combine(terms), previous: { t, kept: residual } };
  },
};
