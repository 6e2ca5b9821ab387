import { Random } from "../random";
import { columnsOf, type FieldSample, firstRows, type SampleSource } from "./fieldSample";
import { principalModes } from "./modes";
import { standardiser } from "./standardiser";

/**
 * Gaussian fields with the mean and the covariance of a large set: what a model of first and second moments achieves.
 *
 * x = mean + sum_k sqrt(variance_k) z_k mode_k in standardised cells; cells that the set holds constant stay so. The
 * factor is made of principal modes, not by Cholesky, as the covariance of smooth fields is singular to round-off.
 * seed, stream: of the random numbers; the number of the set is the last stream number.
 */
export function gaussianControl(set: FieldSample, seed: number, ...stream: number[]): SampleSource {
  const values = firstRows(set, set.rows);
  const scale = standardiser(values, columnsOf(set));
  const columns = scale.free.length;
  const { variances, vectors } = principalModes(scale.apply(values), columns);
  return (number, rows) => {
    const random = new Random(seed, ...stream, number);
    const standardised = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const start = row * columns;
      for (let k = 0; k < columns; k++) {
        const amplitude = Math.sqrt(variances[k]) * random.normal();
        for (let j = 0; j < columns; j++) standardised[start + j] += amplitude * vectors[k * columns + j];
      }
    }
    return { rows, fields: scale.restore(standardised), problem: set.problem };
  };
}
