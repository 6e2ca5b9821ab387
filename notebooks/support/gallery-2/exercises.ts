/** Exercises of the gallery's notebook 2: the jump at an observation, and the weight of a path. */
import { type Exercise, numberFault } from "../../../lib/notebook/check";

const places = [
  [0.3, 1.2, 0.04],
  [-1, 0.5, 0.25],
] as const;

/** By how much the score falls when an observation y of noise variance R has passed: (x, y, R) -> number. */
export const jump: Exercise<(x: number, y: number, variance: number) => number> = {
  number: "G2.1",
  fault(answer) {
    for (const [x, y, r] of places) {
      const fault = numberFault(answer(x, y, r), (y - x) / r, 1e-9, [
        [(x - y) / r, "The score points from x to what was seen, so the sign is that of y - x."],
        [(y - x) / Math.sqrt(r), "The squared error stands over 2 R: divide by R, not by its root."],
        [-((y - x) ** 2) / (2 * r), "That is the log likelihood; the score jumps by its gradient."],
      ]);
      if (fault) return `At x = ${x}, y = ${y}, R = ${r}: ${fault}`;
    }
    return undefined;
  },
};

/** log q / p of one step for sigma = 1 and equal noise: (s, dX - b dt, dt) -> number. */
export const stepRatio: Exercise<(s: number, innovation: number, dt: number) => number> = {
  number: "G2.2",
  fault(answer) {
    for (const [s, dm, dt] of [
      [2, 0.1, 0.01],
      [-1, 0.05, 0.02],
    ]) {
      const fault = numberFault(answer(s, dm, dt), s * dm - 0.5 * s * s * dt, 1e-9, [
        [s * dm + 0.5 * s * s * dt, "The sign of |s|² dt / 2 is minus: compare exp(-(dm - s dt)² / 2 dt) with exp(-dm² / 2 dt)."],
        [0.5 * s * s * dt, "That is the mean under the posterior; the path itself counts, too."],
        [s * dm, "The two normal distributions have different means: a term in s² dt is missing."],
      ]); // prettier-ignore
      if (fault) return `At s = ${s}, dX - b dt = ${dm}, dt = ${dt}: ${fault}`;
    }
    return undefined;
  },
};
