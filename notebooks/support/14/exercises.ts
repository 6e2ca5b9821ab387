import { effectiveNumber, normalised } from "../../../lib/posterior/resampling";
import { type Exercise, numberFault } from "../../../lib/notebook/check";
import { Random } from "../../../lib/random";

type Update = (
  mean: number,
  variance: number,
  value: number,
  noise: number,
) => [mean: number, variance: number];

/** 14.1: the Kalman update of a single number by a single sensor. */
export const scalarUpdate: Exercise<Update> = {
  number: "14.1",
  fault(answer) {
    for (const [mean, variance, value, noise] of [
      [0, 1, 1, 1],
      [2, 4, 1, 0.5],
      [-1, 0.1, 3, 2],
    ]) {
      const given = answer(mean, variance, value, noise);
      const gain = variance / (variance + noise ** 2);
      const wrong = variance / (variance + noise);
      const where = `For mean ${mean}, variance ${variance}, value ${value}, noise ${noise}: `;
      const first = numberFault(given?.[0], mean + gain * (value - mean), 1e-9, [
        [mean + wrong * (value - mean), "noise is a standard deviation; its square adds to the variance."],
        [
          mean + (1 - gain) * (value - mean),
          "the gain is variance / (variance + noise²): a noisy sensor moves little.",
        ],
        [value, "the sensor is not exact: the mean moves only a part of the way."],
      ]);
      if (first) return `${where}mean: ${first}`;
      const second = numberFault(given[1], (1 - gain) * variance, 1e-9, [
        [gain * variance, "the sensor takes the share `gain` of the variance away."],
        [Math.sqrt((1 - gain) * variance), "asked is the variance, not its root."],
        [variance, "a sensor makes the variance smaller."],
      ]);
      if (second) return `${where}variance: ${second}`;
    }
    return undefined;
  },
};

type Effective = (logWeights: number[]) => number;

/** 14.2: the effective number of weighted samples, from logarithms that may be very small. */
export const effectiveOfLogs: Exercise<Effective> = {
  number: "14.2",
  fault(answer) {
    const random = new Random(142);
    for (const [offset, spread] of [
      [0, 1],
      [-5000, 2],
      [3, 0],
    ]) {
      const logs = Array.from({ length: 50 }, () => offset + spread * random.normal());
      const weights = normalised(Float64Array.from(logs));
      const given = answer([...logs]);
      if (Number.isNaN(given)) return "The weights underflow: subtract the largest logarithm first.";
      const fault = numberFault(given, effectiveNumber(weights), 1e-9, [
        [1 / effectiveNumber(weights), "this is the sum of the squares; the number is one over it."],
        [50, "the weights do not count: they are not all equal."],
        [
          1 / weights.reduce((most, w) => Math.max(most, w), 0),
          "this is one over the largest weight; all weights count, by their squares.",
        ],
      ]);
      if (fault) return `For logarithms around ${offset} your function returns ${given}: ${fault}`;
    }
    return undefined;
  },
};
