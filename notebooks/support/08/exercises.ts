/** Exercises of notebook 8. */
import { stratifiedUniform } from "../../../lib/loss";
import { Random } from "../../../lib/random";
import { type Exercise, numberFault } from "../../../lib/notebook/check";

/** Loss of v that the best linear denoiser leaves in a mode of this variance at noise level s. */
export type LinearLossAnswer = (variance: number, noiseLevel: number) => number;

/**
 * 8.1: the loss of the best linear guess of v. Compared with least squares on the second moments, without the formula.
 */
export const linearLossOfMode: Exercise<LinearLossAnswer> = {
  number: "8.1",
  fault(answer) {
    for (const [variance, s] of [
      [1, 0.5],
      [0.3, 2],
      [20, 0.1],
      [5, 7],
    ]) {
      // prettier-ignore
      // x_t = m x_0 + std z and v = m z - std x_0; the best factor on x_t leaves E v^2 - (E v x_t)^2 / E x_t^2.
      const [m, std] = [1 / Math.hypot(1, s), s / Math.hypot(1, s)];
      const ofTarget = m * m + std * std * variance;
      const ofState = m * m * variance + std * std;
      const both = m * std * (1 - variance);
      const expected = ofTarget - both ** 2 / ofState;
      const ofClean = (variance * s * s) / (variance + s * s);
      const fault = numberFault(answer(variance, s), expected, 1e-6, [
        [ofClean, "That is the error of x₀; v's error is larger by the factor 1/std = √(1 + s²)/s."],
        [
          expected / ofClean,
          "That is the factor between the squared errors of v and x₀; the error of x₀ is missing.",
        ],
        [ofTarget, "That is the mean square of v itself: the loss of a guess that is always zero."],
        [Math.sqrt(expected), "That is a root mean square; the loss is the square."],
      ]);
      if (fault) return `For a variance of ${variance} at s = ${s}: ${fault}`;
    }
    return undefined;
  },
};

/** 8.2: after how many steps a weight's share in an average of decay 0.999 has fallen to half. */
export const halfLife: Exercise<number> = {
  number: "8.2",
  fault(answer) {
    const decay = 0.999;
    let [steps, share] = [0, 1];
    while (share > 0.5) {
      share *= decay;
      steps++;
    }
    return numberFault(answer, steps, 0.002, [
      [1 / (1 - decay), "That is 1 / (1 - decay): after so many steps the share is 1/e, not a half."],
      [0.5 / (1 - decay), "The share falls exponentially, not linearly."],
    ]);
  },
};

/** 8.3: by which factor stratifying 128 uniform numbers narrows the scatter of their mean. Measured. */
export const stratificationFactor: Exercise<number> = {
  number: "8.3",
  fault(answer) {
    const [count, repetitions] = [128, 4000];
    const random = new Random(83);
    const scatter = (draw: () => Float64Array) => {
      const means = Float64Array.from(
        { length: repetitions },
        () => draw().reduce((sum, value) => sum + value, 0) / count,
      );
      return Math.sqrt(means.reduce((sum, value) => sum + (value - 0.5) ** 2, 0) / repetitions);
    };
    const independent = scatter(() => Float64Array.from({ length: count }, () => random.uniform()));
    const stratified = scatter(() => stratifiedUniform(count, random));
    // Each scatter is known to 1 / sqrt(2 repetitions), about 1 %; five times that for their ratio.
    return numberFault(answer, independent / stratified, 0.08, [
      [Math.sqrt(count), "√128 is what 128 draws gain over one, stratified or not."],
      [count ** 2, "That is the ratio of the variances; asked is that of the standard deviations."],
      [count ** 1.5, "That compares with one draw; compare with 128 independent ones."],
      [stratified / independent, "That is the ratio the other way round."],
    ]);
  },
};
