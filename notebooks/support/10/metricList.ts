import type { Comparison, WithFloor } from "../../../lib/evaluation/compare";

/** One number of a comparison, with the same number for an independent set like the reference. */
export interface Metric extends WithFloor {
  readonly name: string;
}

/**
 * The numbers of a comparison that are drawn and listed, one after the other: means, spreads, ends of bands and
 * roughness of each field, shape along the leading modes, balance of the fluxes, and the energy distance.
 */
export function metricsOf({ fields, modes, imbalance, floorRatio }: Comparison, leading = 3): Metric[] {
  return [
    ...fields.flatMap(({ name, meanError, stdRatio, lowerPointError, upperPointError, roughnessRatio }) => [
      { name: `${name}: error of the mean`, ...meanError },
      { name: `${name}: ratio of std`, ...stdRatio },
      { name: `${name}: error of the 2.5 % point`, ...lowerPointError },
      { name: `${name}: error of the 97.5 % point`, ...upperPointError },
      { name: `${name}: ratio of roughness`, ...roughnessRatio },
    ]),
    ...modes.slice(0, leading).flatMap(({ stdRatio, skewness, kurtosis }, k) => [
      { name: `mode ${k + 1}: ratio of std`, ...stdRatio },
      { name: `mode ${k + 1}: skewness`, ...skewness },
      { name: `mode ${k + 1}: excess kurtosis`, ...kurtosis },
    ]),
    ...(imbalance ? [{ name: "imbalance of the fluxes", ...imbalance }] : []),
    { name: "energy distance / floor", ...floorRatio },
  ];
}

/** One metric of several candidates, and of several sets of the truth itself. */
export interface MetricRow {
  readonly name: string;
  /** Values of independent sets like the reference. */
  readonly floors: readonly number[];
  /** Values by candidate. */
  readonly values: Readonly<Record<string, number>>;
}

/**
 * Collects metrics by name: of candidates, each from its comparison, and of the floors of all comparisons.
 *
 * further: comparisons whose sample is one more set like the reference, so that both of their columns are floors.
 */
export function metricRows(
  candidates: Readonly<Record<string, Comparison>>,
  further: readonly Comparison[],
): MetricRow[] {
  const own = Object.entries(candidates).map(([name, comparison]) => [name, metricsOf(comparison)] as const);
  const more = further.map((comparison) => metricsOf(comparison));
  return own[0][1].map(({ name }, k) => ({
    name,
    floors: [
      ...own.map(([, metrics]) => metrics[k].floor),
      ...more.flatMap((metrics) => [metrics[k].sample, metrics[k].floor]),
    ],
    values: Object.fromEntries(own.map(([candidate, metrics]) => [candidate, metrics[k].sample])),
  }));
}

/** A value in standard deviations of the floors, from their mean; NaN for fewer than two floors. */
export function inFloorDeviations(value: number, floors: readonly number[]): number {
  const mean = floors.reduce((sum, floor) => sum + floor / floors.length, 0);
  const square = floors.reduce((sum, floor) => sum + (floor - mean) ** 2, 0);
  return floors.length > 1 ? (value - mean) / Math.sqrt(square / (floors.length - 1)) : NaN;
}
