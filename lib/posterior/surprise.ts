/** Whether what sensors tell is to be expected at all. */
import type { Posterior } from "./drawPosterior";
import { LinearUpdate } from "./linearUpdate";
import type { LinearObservation } from "./observation";

/** How far data are from what a prior with this mean and covariance expects, in standard deviations. */
export interface Surprise {
  /** Of the sensor (from 1) that is furthest off. */
  readonly sensor: number;
  readonly deviations: number;
  /** Of |W y|^2, which has as many degrees of freedom as there are values m: (|W y|^2 - m) / sqrt(2 m). */
  readonly joint: number;
}

export function surpriseOf(variances: Float64Array, observation: LinearObservation): Surprise {
  const { matrix, values, size } = observation;
  const m = values.length;
  let [sensor, deviations] = [1, 0];
  for (let j = 0; j < m; j++) {
    let variance = 1;
    for (let i = 0; i < size; i++) variance += variances[i] * matrix[j * size + i] ** 2;
    const off = Math.abs(values[j]) / Math.sqrt(variance);
    if (off > deviations) [sensor, deviations] = [j + 1, off];
  }
  const joint = (new LinearUpdate(observation, variances).square(values) - m) / Math.sqrt(2 * m);
  return { sensor, deviations, joint };
}

/** Fields of the solver reach as far as this, as they are not quite Gaussian. */
const EXPECTED = 4.5;
const EXPECTED_JOINTLY = 7;
/** Share of the samples that should be effective, and their least number. */
const LEAST_SHARE = 0.1;
const LEAST_NUMBER = 50;

/** Sentences about a posterior that is not to be trusted; none if it is. */
export function posteriorWarnings({ surprise, effective }: Omit<Posterior, "data">): string[] {
  const { sensor, deviations, joint } = surprise;
  const sentences: string[] = [];
  if (deviations > EXPECTED) {
    sentences.push(
      `Sensor ${sensor} is ${deviations.toPrecision(2)} standard deviations from what is expected at these conditions: look at its ` +
        `value, its unit, its place and the conditions.`,
    );
  } else if (joint > EXPECTED_JOINTLY) {
    sentences.push(
      `The sensors together are ${joint.toPrecision(2)} standard deviations from what is expected at these conditions, though ` +
        `none is by itself: look whether they contradict each other and whether their deviations are too small.`,
    );
  }
  if (effective && effective.number < Math.max(LEAST_NUMBER, LEAST_SHARE * effective.of)) {
    sentences.push(
      `Of ${effective.of} weighted samples only ${effective.number.toPrecision(2)} count: the fields are few different ones, so give ` +
        `larger deviations, or draw more.`,
    );
  }
  return sentences;
}
