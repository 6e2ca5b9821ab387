/** Long-run statistics of vorticities on the coarse grid. */
import { energyDistance, standardiser } from "../../comparison";
import { KolmogorovFlow, sides } from "./flow";
import { INTERVAL } from "./flowData";
import type { Reference } from "./stored";

const flow = new KolmogorovFlow(sides.les);
const cells = sides.les ** 2;
/** Shells that are compared by their energies' joint distribution, from 1. */
const FEATURES = 7;
/** Snapshots whose energies are averaged are so far apart in time, and those whose distribution is compared. */
const every = { mean: 0.5, feature: 5 };

/** Statistics of one flow whose vorticities come one after the other, an interval apart. */
export class FlowStatistics {
  private readonly sum = new Float64Array(Math.round(Math.SQRT2 * flow.kept));
  private seen = 0;
  private count = 0;
  /** Logarithms of the energies of shells 1 to 7, a row every 5 time units. */
  readonly features: number[][] = [];

  add(vorticity: ArrayLike<number>): void {
    const time = this.seen++;
    if (time % Math.round(every.mean / INTERVAL) !== 0) return;
    const shells = flow.shells(flow.spectrum(vorticity)).subarray(1);
    this.count++;
    shells.forEach((energy, k) => (this.sum[k] += energy));
    if (time % Math.round(every.feature / INTERVAL) === 0) {
      this.features.push(Array.from(shells.subarray(0, FEATURES), Math.log));
    }
  }

  /** Mean energies of shells 1 to 10. */
  get shells(): number[] {
    return Array.from(this.sum, (sum) => sum / this.count);
  }
}

/** The statistics of simulations of a flow at once, [flows, n, n] after each interval, from the first `skipped` on. */
export function statisticsOf(steps: Iterable<Float32Array>, skipped: number) {
  const flows: FlowStatistics[] = [];
  let blownUp: number | undefined;
  let time = 0;
  for (const fields of steps) {
    time += INTERVAL;
    if (!fields.every((value) => Math.abs(value) < 1000)) {
      blownUp = time;
      break;
    }
    if (time < skipped) continue;
    for (let k = 0; k < fields.length / cells; k++) {
      (flows[k] ??= new FlowStatistics()).add(fields.subarray(k * cells, (k + 1) * cells));
    }
  }
  return { flows, blownUp };
}

/** Means over the rows of a table. */
export function columnMeans(rows: readonly (readonly number[])[]): number[] {
  return rows[0].map((_, k) => rows.reduce((sum, row) => sum + row[k], 0) / rows.length);
}

/** Energies by shell over those of the reference. */
export function shellRatios(shells: readonly (readonly number[])[], reference: Reference): number[] {
  const exact = columnMeans(reference.shells);
  return columnMeans(shells).map((energy, k) => energy / exact[k]);
}

/** Energy distance of the distributions of (log E_1 ... log E_7), each in its deviations in the reference. */
export function featureDistance(
  features: readonly (readonly number[])[],
  reference: readonly (readonly number[])[],
): number {
  const own = Float64Array.from(reference.flat());
  const scale = standardiser(own, FEATURES);
  return energyDistance(scale.apply(own), scale.apply(Float64Array.from(features.flat())), FEATURES);
}
