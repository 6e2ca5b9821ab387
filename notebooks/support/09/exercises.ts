/** Exercises of notebook 9. */
import { marginalGaussian, sampledGaussian } from "../../../lib/evaluation/gaussianSampling";
import { type Exercise, numberFault } from "../../../lib/notebook/check";
import { dpmSolver2M } from "../../../lib/gaussian/odeSamplers";
import { Random } from "../../../lib/random";
import { eulerMaruyama, type Sampler } from "../../../lib/samplers";
import { vpSchedule } from "../../../lib/schedule";

const schedule = vpSchedule();
/** The data whose samples the notebook follows. */
const data = { mean: 0, variance: 0.25 };

/** Signed relative error of the variance with which a sampler returns Gaussian data. */
function varianceError(sampler: Sampler, steps: number): number {
  const times = sampler.grid(schedule, steps);
  const exact = marginalGaussian(data, schedule, times[times.length - 1]);
  return sampledGaussian(sampler, schedule, times, data).variance / exact.variance - 1;
}

function stdError(sampler: Sampler, steps: number): number {
  return Math.abs(Math.sqrt(1 + varianceError(sampler, steps)) - 1);
}

/** The state at noise level sNext after one Euler step from y at noise level s; denoised: D(y, s). */
export type EulerAnswer = (y: number, denoised: number, s: number, sNext: number) => number;

/** 9.1: one Euler step of the probability-flow ODE. Compared with its line through y and the denoised state. */
export const eulerStep: Exercise<EulerAnswer> = {
  number: "9.1",
  fault(answer) {
    const random = new Random(91);
    for (let trial = 0; trial < 4; trial++) {
      const [y, denoised] = random.fillNormal(new Float64Array(2));
      const s = 1 + random.uniform();
      const sNext = s * (0.3 + 0.4 * random.uniform());
      // The slope (y - D) / s points to D at noise level 0: at sNext the share sNext / s of the way is left.
      const expected = denoised + (sNext / s) * (y - denoised);
      const slope = (y - denoised) / s;
      const fault = numberFault(answer(y, denoised, s, sNext), expected, 1e-9, [
        [
          y - (sNext - s) * slope,
          "The step goes up in the noise level; sNext - s is negative, and so it must be.",
        ],
        [y + (sNext - s) * (y - denoised), "The slope is (y - D) / s; the division by s is missing."],
        [
          y + (sNext - s) * ((y - denoised) / sNext),
          "The slope is taken where the step starts: divide by s, not by sNext.",
        ],
        [
          y + (sNext - s) * (2 * slope),
          "That is the drift of the reverse SDE, whose score counts twice; the ODE needs half of it.",
        ],
        [denoised, "That is the denoised state: where the step would end at noise level 0."],
      ]);
      if (fault)
        return `From y = ${y.toFixed(3)}, D = ${denoised.toFixed(3)}, s = ${s.toFixed(3)}, sNext = ${sNext.toFixed(3)}: ${fault}`;
    }
    return undefined;
  },
};

/** 9.2: by what factor the bias of DPM-Solver++(2M) grows when its steps are halved. Computed from its law. */
export const biasOfHalfTheSteps: Exercise<number> = {
  number: "9.2",
  fault: (answer) =>
    numberFault(answer, stdError(dpmSolver2M, 160) / stdError(dpmSolver2M, 320), 0.12, [
      [2, "A factor of 2 belongs to order 1; this sampler has order 2."],
      [8, "A factor of 8 belongs to order 3; this sampler has order 2."],
      [1 / 4, "With fewer steps the bias grows."],
    ]),
};

/** 9.3: the fewest steps of Euler-Maruyama whose bias 10,000 draws could not see. */
export const fewestSteps: Exercise<number> = {
  number: "9.3",
  fault(answer) {
    const draws = 10_000;
    const statistical = 1 / Math.sqrt(2 * draws);
    const fewest = (error: (steps: number) => number, bound: number) => {
      let [low, high] = [1, 1000]; // the error falls with the steps
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (error(middle) < bound) high = middle;
        else low = middle;
      }
      return high;
    };
    const ofStd = (steps: number) => stdError(eulerMaruyama, steps);
    const ofVariance = (steps: number) => Math.abs(varianceError(eulerMaruyama, steps));
    return numberFault(answer, fewest(ofStd, statistical), 0.03, [
      [
        fewest(ofVariance, statistical),
        "That is for the error of the variance, which is twice that of the standard deviation.",
      ],
      [
        fewest(ofStd, 1 / Math.sqrt(draws)),
        "The standard deviation of n draws is known to 1 / √(2 n), not to 1 / √n.",
      ],
    ]);
  },
};
