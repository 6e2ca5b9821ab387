/** Exercises of the gallery's notebook 5: Nesterov's equation of first order, and the distance of two processes. */
import { type Exercise, numberFault } from "../../../lib/notebook/check";
import { scaling } from "../../../lib/gallery/nesterov-bnn/method";

type Slope = (t: number, x: number, m: number, f: (h: number) => number) => readonly [number, number];

/** Slopes of Nesterov's x and m, where h = k(t) x: (t, x, m, f) -> [x', m']. */
export const nesterovSlope: Exercise<Slope> = {
  number: "G5.1",
  fault(answer) {
    const f = Math.tanh;
    for (const [t, x, m] of [
      [1.3, 0.4, -0.7],
      [1.9, -1.1, 0.2],
    ]) {
      const at = f(scaling(t) * x);
      const [dx, dm] = answer(t, x, m, f);
      const fault =
        numberFault(dx, m, 1e-9) ??
        numberFault(dm, -m - at, 1e-9, [
          [-m - f(x), "f sees h = k(t) x, not x."],
          [-m + at, "The sign of f: it is the slope down which h goes."],
          [-at, "The friction -m is missing."],
        ]);
      if (fault) return `At t = ${t}, x = ${x}, m = ${m}: ${fault}`;
    }
    return undefined;
  },
};

/** Distance of dw = (-w + push) dt + sigma dB from dw = -w dt + sigma dB over some time: (push, sigma, time) -> KL. */
export const pathDistance: Exercise<(push: number, sigma: number, time: number) => number> = {
  number: "G5.2",
  fault(answer) {
    for (const [push, sigma, time] of [
      [0.5, 0.2, 1],
      [-1.5, 0.7, 3],
    ]) {
      const u = push / sigma;
      const fault = numberFault(answer(push, sigma, time), (u ** 2 * time) / 2, 1e-9, [
        [u ** 2 * time, "Girsanov's density has half of the square."],
        [(push ** 2 * time) / 2, "How far a push is seen depends on the noise: the control is u = push / σ."],
        [u ** 2 / 2, "The distance grows with the time for which it is pushed."],
      ]);
      if (fault) return `At push = ${push}, σ = ${sigma}, time ${time}: ${fault}`;
    }
    return undefined;
  },
};
