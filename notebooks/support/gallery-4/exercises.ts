/** Exercises of the gallery's notebook 4: moments of a Benes process. */
import { type Exercise, numberFault } from "../../../lib/notebook/check";

const states = [
  [0.5, 0.3],
  [-1, 2],
  [0, 0.01],
] as const;

/** Rates of mean and variance of dX = tanh(X) dt + dW, linearised at the mean: (m, P) -> [m', P']. */
export const linearisedRates: Exercise<(mean: number, variance: number) => readonly [number, number]> = {
  number: "G4.1",
  fault(answer) {
    for (const [m, p] of states) {
      const [mean, variance] = answer(m, p);
      const slope = 1 / Math.cosh(m) ** 2;
      const fault =
        numberFault(mean, Math.tanh(m), 1e-9) ??
        numberFault(variance, 2 * slope * p + 1, 1e-9, [
          [slope * p + 1, "P' = F P + P Fᵀ + q: the slope counts twice."],
          [2 * slope * p, "The noise adds its own variance, 1 a unit of time."],
          [2 * Math.tanh(m) * p + 1, "F is the slope of the drift, not the drift."],
        ]);
      if (fault) return `At m = ${m}, P = ${p}: ${fault}`;
    }
    return undefined;
  },
};

/** E tanh(X) for X ~ N(m, P) by the cubature rule of one dimension. */
export const cubatureMean: Exercise<(mean: number, variance: number) => number> = {
  number: "G4.2",
  fault(answer) {
    const rule = (m: number, d: number) => 0.5 * (Math.tanh(m + d) + Math.tanh(m - d));
    for (const [m, p] of states) {
      const fault = numberFault(answer(m, p), rule(m, Math.sqrt(p)), 1e-9, [
        [rule(m, p), "The points lie a standard deviation from the mean, √P, not P."],
        [2 * rule(m, Math.sqrt(p)), "Both points have the weight 1/2."],
        [Math.tanh(m), "That is the drift at the mean, which is what linearisation takes."],
      ]);
      if (fault) return `At m = ${m}, P = ${p}: ${fault}`;
    }
    return undefined;
  },
};
