import { average, columnMean, columnStd } from "./summary";

/** How far the moments of samples are from those of the references that standardised them. */
export interface MomentErrors {
  /** Root mean square over cells of the difference of means, in standard deviations. */
  readonly meanError: number;
  /** Mean over cells of the ratio of standard deviations. */
  readonly stdRatio: number;
}

/** Errors of the first two moments of standardised values (rows, columns), whose mean should be 0 and spread 1. */
export function momentErrors(standardised: Float64Array, columns: number): MomentErrors {
  return {
    meanError: Math.sqrt(average(columnMean(standardised, columns).map((mean) => mean ** 2))),
    stdRatio: average(columnStd(standardised, columns)),
  };
}
