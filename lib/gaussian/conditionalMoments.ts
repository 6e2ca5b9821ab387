/** Mean and spread of every cell as functions of the conditions, taken from a data set. */
import { isSource, pickRows, type RowSource } from "../data/rows";
import { type DataSet, rowConditions } from "../dataSet";
import { InputError } from "../errors";
import type { Standardisation } from "../standardisation";
import { ConditionalStandardisation, PairCovariances } from "./conditionalStandardisation";
import { chebyshevProducts, NormalEquations, totalDegree } from "./leastSquares";
import { evenNodes, kernelWeights, NODES, positionOf, remainingConditions } from "./nodes";

/** Degree of the means' polynomials in one remaining condition, and the total degree in several. */
const DEGREE = 7;
const DEGREE_OF_MANY = 3;
/** Rows that the moments are taken from: enough for means to one or two per cent of a standard deviation. */
const MOST_ROWS = 48000;
/** Rows that are read at a time. */
const CHUNK_ROWS = 1024;

/** What the moments of a data set were taken from, for others to take more of. */
export interface ConditionalMoments {
  readonly standardisation: Standardisation;
  /** (rows, responses, fields x cells): each response less its mean at the row's conditions */
  readonly residuals: Float64Array;
  /** (rows) of the conditions in which the problem is not affine, normalised */
  readonly positions: readonly (readonly number[])[];
}

/**
 * Mean and standard deviation of every cell as functions of the conditions, from a data set.
 *
 * Where the problem is affine in some conditions for a fixed latent field, the moments of the responses are taken
 * and serve all values of those conditions at once: fields = w . R with w = (1, affine conditions), so that
 * mean = w . E[R] and variance = w . Cov[R] w. E[R] is a polynomial in the other conditions (least squares,
 * Chebyshev basis); Cov[R] a kernel average over them, which stays positive, kept at nodes and interpolated.
 * Where it is not affine, or the latent field is not in the data, the fields themselves take the responses' place.
 */
export function conditionalStandardisation(data: DataSet | RowSource): Standardisation {
  return takeMoments(data, !isSource(data)).standardisation;
}

/** The standardisation of {@link conditionalStandardisation} together with what is left of each row. */
export function conditionalMoments(data: DataSet | RowSource): ConditionalMoments {
  const { residuals, ...moments } = takeMoments(data, true);
  return { ...moments, residuals: residuals! };
}

/** Takes the moments. kept: the residuals of all rows, up to 230 MB, or else all is computed twice. */
function takeMoments(
  data: DataSet | RowSource,
  kept: boolean,
): Pick<ConditionalMoments, "standardisation" | "positions"> & { readonly residuals?: Float64Array } {
  const responses = new ResponseRows(data, kept);
  const { affineIn, coordinates, positions, width } = responses;
  const degree = coordinates.length === 1 ? DEGREE : DEGREE_OF_MANY;
  const exponents = totalDegree(coordinates.length, degree);
  const basis: Float64Array[] = [];
  const equations = new NormalEquations(exponents.length, width);
  responses.forEach((row, values) => {
    basis.push(chebyshevProducts(positions[row], exponents));
    equations.add(basis[row], values);
  });
  const distinct = new Set(positions.map((position) => position.join())).size;
  if (distinct < exponents.length) {
    throw new InputError(
      `The data have too few different conditions (${distinct}) to take their moments from: generate at least ` +
        `${exponents.length}, better hundreds.`,
    );
  }
  const mean = equations.solve();
  // With several conditions left there is one node, and the average is over all rows.
  const nodes = evenNodes(coordinates.length === 1 ? NODES : 1);
  const [count, size] = [affineIn.length + 1, width / (affineIn.length + 1)];
  const covariances = nodes.map(() => new PairCovariances(count, size));
  responses.forEach((row, residual) => {
    basis[row].forEach((factor, b) => {
      for (let i = 0; i < width; i++) residual[i] -= factor * mean[b * width + i];
    });
    const weights = kernelWeights(positions[row][0], nodes);
    covariances.forEach((covariance, j) => covariance.add(residual, weights[j]));
  });
  if (covariances.some(({ total }) => !(total > 10))) {
    throw new InputError(
      `The data have too few rows (${data.rows}) to take their moments from: generate more conditions.`,
    );
  }
  const standardisation = ConditionalStandardisation.fromNodes(
    data,
    { affineIn, degree, nodes },
    mean,
    covariances.map((covariance) => covariance.average()),
  );
  return { standardisation, positions, residuals: responses.kept };
}

/** The responses of rows that moments are taken from; where the data have none, the fields. */
class ResponseRows {
  /** Of the problem's affine conditions, those that responses are there for: all or none. */
  readonly affineIn: string[];
  /** Indices of the other conditions. */
  readonly coordinates: number[];
  /** responses x fields x cells */
  readonly width: number;
  /** (rows, responses, fields x cells), once they have been visited */
  readonly kept: Float64Array | undefined;
  /** (rows, coordinates), normalised, once they have been visited */
  readonly positions: number[][] = [];
  private readonly chosen: readonly number[];

  constructor(
    private readonly data: DataSet | RowSource,
    kept: boolean,
  ) {
    const { problem } = data;
    const rows = Math.min(data.rows, MOST_ROWS);
    this.chosen = Array.from({ length: rows }, (_, i) => Math.floor((i * data.rows) / rows));
    this.affineIn = pickRows(data, this.chosen.slice(0, 1)).latent ? [...problem.affineIn] : [];
    this.coordinates = remainingConditions(problem, this.affineIn);
    this.width = (this.affineIn.length + 1) * problem.fields.length * problem.cells;
    this.kept = kept ? new Float64Array(rows * this.width) : undefined;
  }

  /** Visits the responses (responses, fields x cells) of the rows in order; what is done to them stays where they are kept. */
  forEach(visit: (row: number, responses: Float64Array) => void): void {
    const { data, chosen, kept, width, positions } = this;
    const place = (row: number) => kept?.subarray(row * width, (row + 1) * width) ?? new Float64Array(width);
    if (kept && positions.length > 0) {
      positions.forEach((_, row) => visit(row, place(row)));
      return;
    }
    for (let start = 0; start < chosen.length; start += CHUNK_ROWS) {
      const part = pickRows(data, chosen.slice(start, start + CHUNK_ROWS));
      for (let row = 0; row < part.rows; row++) {
        const responses = place(start + row);
        this.compute(part, row, responses);
        positions[start + row] = positionOf(data.problem, this.coordinates, rowConditions(part, row));
        visit(start + row, responses);
      }
    }
  }

  private compute({ fields, latent, problem }: DataSet, row: number, responses: Float64Array): void {
    const size = problem.fields.length * problem.cells;
    const values =
      latent && this.affineIn.length > 0
        ? problem.responses(latent.subarray(row * problem.cells, (row + 1) * problem.cells))
        : [fields.subarray(row * size, (row + 1) * size)];
    values.forEach((value, k) => responses.set(value, k * size));
  }
}
