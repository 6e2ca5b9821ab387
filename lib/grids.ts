import { InputError, positiveInteger } from "./errors";
import type { Schedule } from "./schedule";

/** The times a sampler visits: steps + 1 values, strictly falling. */
export type TimeGrid = (schedule: Schedule, steps: number) => Float64Array;

/** Equal steps from the end time down to smallestTime: (steps + 1), falling. */
export function uniformGrid(schedule: Schedule, steps: number, smallestTime = 1e-3): Float64Array {
  checkGrid(schedule, steps, smallestTime);
  return fromUnit(steps, (u) => smallestTime + (schedule.endTime - smallestTime) * u);
}

/** Times smallest + (T - smallest) u^2, u falling evenly from 1 to 0: (steps + 1). The blog's, finer towards the data. */
export function quadraticGrid(schedule: Schedule, steps: number, smallestTime = 1e-4): Float64Array {
  checkGrid(schedule, steps, smallestTime);
  return fromUnit(steps, (u) => smallestTime + (schedule.endTime - smallestTime) * u * u);
}

/**
 * Karras' grid (steps + 1): the noise level's rho-th root falls evenly from largest to smallest, then one step to 0.
 *
 * largest defaults to the noise level at the end time. Throws InputError unless 0 < smallest < largest and largest
 * lies within the schedule. Source: Karras et al. 2022 (EDM), equation (5).
 */
export function karrasGrid(
  schedule: Schedule,
  steps: number,
  { smallest = 0.002, largest = schedule.noiseLevel(schedule.endTime), rho = 7 } = {},
): Float64Array {
  const limit = schedule.noiseLevel(schedule.endTime);
  checkGrid(schedule, steps, 0);
  if (!(smallest > 0 && smallest < largest && largest <= limit)) {
    throw new InputError(
      `The noise levels run from ${largest} to ${smallest}; give 0 < smallest < largest <= ${limit.toPrecision(4)}.`,
    );
  }
  const [high, low] = [largest ** (1 / rho), smallest ** (1 / rho)];
  const times = new Float64Array(steps + 1); // the last stays 0
  times[0] = largest === limit ? schedule.endTime : schedule.timeOf(largest);
  for (let i = 1; i < steps; i++)
    times[i] = schedule.timeOf((high + (i / (steps - 1)) * (low - high)) ** rho);
  return times;
}

function fromUnit(steps: number, time: (u: number) => number): Float64Array {
  return Float64Array.from({ length: steps + 1 }, (_, i) => time(1 - i / steps));
}

function checkGrid(schedule: Schedule, steps: number, smallestTime: number): void {
  positiveInteger("The number of steps", steps);
  if (!(smallestTime >= 0 && smallestTime < schedule.endTime)) {
    throw new InputError(`The smallest time is ${smallestTime}; give one in [0, ${schedule.endTime}).`);
  }
}
