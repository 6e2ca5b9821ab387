/** Exercises of notebook 04: the forward process. */
import { type Schedule, vpSchedule } from "../../../lib/schedule";
import { type Exercise, numberFault } from "../../../lib/notebook/check";

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
