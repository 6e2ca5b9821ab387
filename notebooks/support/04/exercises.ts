/** Exercises of notebook 04: the forward process. */
import { type Schedule, vpSchedule } from "../../../lib/schedule";
import { type Exercise, listFault, numberFault } from "../../../lib/notebook/check";

/** The time in [0, endTime] at which a falling function of time crosses 0, by bisection. */
function crossing({ endTime }: Schedule, of: (t: number) => number): number {
  let [low, high] = [0, endTime];
  for (let k = 0; k < 100; k++) {
    const middle = 0.5 * (low + high);
    if (of(middle) > 0) low = middle;
    else high = middle;
  }
  return 0.5 * (low + high);
}

const schedule = vpSchedule();

/** The time at which signal and noise are equal: mean^2 = variance. */
export const equalParts: Exercise<number> = {
  number: "4.1",
  fault(answer) {
    const variance = (t: number) => schedule.std(t) ** 2;
    return numberFault(
      answer,
      crossing(schedule, (t) => schedule.mean(t) ** 2 - variance(t)),
      0.005,
      [
        [
          crossing(schedule, (t) => schedule.mean(t) - variance(t)),
          "There m = v; the signal's variance is m², so m² = v is asked.",
        ],
        [
          crossing(schedule, (t) => Math.LN2 - t * schedule.beta(t)),
          "That takes α = β(t) t; α is the integral of β, and β grows.",
        ],
      ],
    );
  },
};

/** The time at which a mode of variance lambda drowns, as a function of lambda. */
export const drowningTime: Exercise<(lambda: number) => number> = {
  number: "4.2",
  fault(answer) {
    for (const lambda of [4, 1, 0.1, 1e-3, 1e-5]) {
      const share = (t: number) => schedule.mean(t) ** 2 * lambda - schedule.std(t) ** 2;
      const unshrunk = lambda < 1 ? crossing(schedule, (t) => lambda - schedule.std(t) ** 2) : NaN;
      const fault = numberFault(answer(lambda), crossing(schedule, share), 0.005, [
        [schedule.timeOf(lambda), "The noise level s is a standard deviation: s² = λ is asked, not s = λ."],
        [unshrunk, "There v = λ; but the mode has shrunk by m, too."],
      ]);
      if (fault) return `For λ = ${lambda}: ${fault}`;
    }
    return undefined;
  },
};

/** The end time of the blog's first equation, beta = 1, that leaves as little of the data as the schedule does. */
export const equalEnd: Exercise<number> = {
  number: "4.3",
  fault(answer) {
    const left = schedule.mean(schedule.endTime);
    return numberFault(answer, -2 * Math.log(left), 0.005, [
      [-Math.log(left), "That makes exp(-T) = m(1); with β = 1 the mean is exp(-T/2)."],
      [1, "At t = 1 the process with β = 1 still keeps exp(-1/2) = 61 % of the data."],
      [schedule.beta(schedule.endTime), "That is β at the end; α(1), the area under β, is half of it."],
    ]);
  },
};

/** x_t from x_0 and z (any number of each) at time t. */
export type Noising = (x0: Float64Array, z: Float64Array, t: number) => Float64Array;

/** Noising written out by the reader, without the library's schedule. */
export const noising: Exercise<Noising> = {
  number: "4.4",
  fault(answer) {
    const [x0, z] = [Float64Array.of(2, -1, 0.5, 0), Float64Array.of(0.3, 1, -2, 1)];
    for (const t of [0.1, 0.4, 0.9]) {
      const given = answer(x0.slice(), z.slice(), t);
      const mix = (onData: number, onNoise: number) => x0.map((x, i) => onData * x + onNoise * z[i]);
      const [m, std] = [schedule.mean(t), schedule.std(t)];
      const steep = t * schedule.beta(t);
      const fault = listFault(given, mix(m, std), 1e-6, [
        [mix(m, std ** 2), "The noise has the factor v. But v is a variance: its factor is the root of v."],
        [mix(m * m, std), "The data have the factor exp(-α); it is exp(-α/2)."],
        [mix(1, std), "The data are not shrunk: the variance would grow above 1."],
        [
          mix(1, schedule.noiseLevel(t)),
          "That is x_t / m, the data plus noise of level s; x_t itself is asked.",
        ],
        [
          mix(Math.exp(-steep / 2), Math.sqrt(-Math.expm1(-steep))),
          "That takes α = β(t) t; α is the integral of β, and β grows.",
        ],
        [mix(std, m), "The two factors are exchanged."],
      ]);
      if (fault) return `At t = ${t}: ${fault}`;
    }
    return undefined;
  },
};
