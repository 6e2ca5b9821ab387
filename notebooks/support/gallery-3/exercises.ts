/** Exercises of the gallery's notebook 3: the ideal closure of a Gaussian pair, and what a path of the latent SDE costs. */
import { type Exercise, numberFault } from "../../../lib/notebook/check";

/** Slope of E[w | v] of a Gaussian pair with mean 0, from its covariance: (C_vv, C_vw, C_ww) -> slope. */
export const idealSlopeOf: Exercise<(vv: number, vw: number, ww: number) => number> = {
  number: "G3.1",
  fault(answer) {
    for (const [vv, vw, ww] of [
      [0.5, 0.2, 0.8],
      [2, -1, 1],
      [1, 0.3, 4],
    ]) {
      // prettier-ignore
      const fault = numberFault(answer(vv, vw, ww), vw / vv, 1e-9, [
        [vw / ww, "That is the regression of v on w; v is what is known."],
        [vw / Math.sqrt(vv * ww), "That is the correlation, which has no unit; a slope has."],
        [vw, "The covariance grows with v's own variance; divide by it."],
      ]);
      if (fault) return `At C = (${vv}, ${vw}, ${ww}): ${fault}`;
    }
    return undefined;
  },
};

/** Rate at which KL(posterior path, prior path) grows in one dimension: (h_phi, h_theta, g) -> nats a unit of time. */
export const klRate: Exercise<(posterior: number, prior: number, noise: number) => number> = {
  number: "G3.2",
  fault(answer) {
    for (const [p, q, g] of [
      [1, 0, 0.5],
      [0.3, -0.2, 0.25],
      [2, 1, 2],
    ]) {
      // prettier-ignore
      const fault = numberFault(answer(p, q, g), 0.5 * ((p - q) / g) ** 2, 1e-9, [
        [0.5 * ((p - q) * g) ** 2, "The difference of the drifts is divided by g: little noise tells drifts apart well."],
        [((p - q) / g) ** 2, "Half of it: a Gaussian's exponent has a 1/2."],
        [(0.5 * (p - q) ** 2) / g, "The noise's variance rate is g², not g."],
      ]);
      if (fault) return `At h_φ = ${p}, h_θ = ${q}, g = ${g}: ${fault}`;
    }
    return undefined;
  },
};
