/** Moments of the responses as functions of the conditions, from a data set. */
import { finish, type Stoppable } from "../backend/interrupt";
import { isSource, pickRows, rowConditions, type RowSource } from "../data/rows";
import { type DataSet } from "../dataSet";
import { InputError } from "../backend/errors";
import type { Problem } from "../problem";
import type { Standardisation } from "../standardisation";
import { ConditionalStandardisation, PairCovariances } from "./conditionalStandardisation";
import { ConditionalCovariance, covarianceOf, type Moments, type NodeCovariance } from "./covariance";
import { chebyshevProducts, NormalEquations, totalDegree } from "./leastSquares";
import { DATA_NODES, evenNodes, kernelWeights, NODES, positionOf, remainingConditions } from "./nodes";

/** Degree of the means' polynomials in one remaining condition, and the total degree in several. */
const DEGREE = 7;
const DEGREE_OF_MANY = 3;
/** Rows that the moments are taken from: enough for means to one or two per cent of a standard deviation. */
const MOST_ROWS = 48000;
/** Rows that the moments of a node have to be taken from, counted by their weights. */
const LEAST_WEIGHT = 10;
const LEAST_WEIGHT_OF_COVARIANCES = 5;
/** Rows that are read at a time. */
const CHUNK_ROWS = 1024;

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
  return finish(standardising(data));
}

/** The same, as work that can be stopped. */
export function standardising(data: DataSet | RowSource): Stoppable<Standardisation> {
  return takeMoments(new ResponseRows(data, !isSource(data)));
}

/**
 * The standardisation of {@link conditionalStandardisation} together with the covariance of the responses.
 *
 * With one condition in which the problem is not affine, rows are averaged with a Gaussian kernel around each node,
 * which keeps the covariance positive; with several, the one covariance of all rows has to do. Throws InputError for
 * data without latent fields or with too few rows.
 */
export function conditionalMoments(data: DataSet | RowSource): Moments {
  return finish(takingMoments(data));
}

/** The same, as work that can be stopped. */
export function* takingMoments(data: DataSet | RowSource): Stoppable<Moments> {
  const { problem } = data;
  const responses = new ResponseRows(data, true);
  if (responses.affineIn.length < problem.affineIn.length) {
    throw new InputError(
      "The data have no latent field to take covariances from; train on data that generate made.",
    );
  }
  const standardisation = yield* takeMoments(responses);
  const nodes = evenNodes(responses.coordinates.length === 1 ? DATA_NODES : 1);
  const weights = responses.positions.map(([position]) => kernelWeights(position, nodes));
  const covariances: NodeCovariance[] = [];
  for (const j of nodes.keys()) {
    const own = Float64Array.from(weights, (ofRow) => ofRow[j]);
    if (!(own.reduce((sum, weight) => sum + weight, 0) > LEAST_WEIGHT_OF_COVARIANCES)) {
      throw new InputError(
        `The data have too few rows (${data.rows}) to take covariances from; generate more conditions.`,
      );
    }
    covariances.push(covarianceOf(problem, responses.kept!, own));
    yield;
  }
  return { standardisation, covariance: ConditionalCovariance.fromNodes(problem, covariances) };
}

/** Whether the conditions of a data set are many and spread enough for {@link conditionalMoments}. */
export function canTakeMoments(data: DataSet | RowSource): boolean {
  const { problem } = data;
  const width = problem.conditions.length;
  const coordinates = remainingConditions(problem, problem.affineIn);
  const [groups, sizes] = isSource(data)
    ? [
        data.groups.conditions,
        Array.from({ length: data.groups.length }, (_, k) => data.groups.at(k)!.length),
      ]
    : [data.conditions, new Array<number>(data.rows).fill(1)];
  const positions = sizes.map((_, k) =>
    positionOf(problem, coordinates, groups.subarray(k * width, (k + 1) * width)),
  );
  const distinct = new Set(positions.map((position) => position.join())).size;
  if (distinct < totalDegree(coordinates.length, degreeFor(coordinates.length)).length) return false;
  const covers = (count: number, least: number): boolean => {
    const nodes = evenNodes(coordinates.length === 1 ? count : 1);
    const totals = nodes.map(() => 0);
    positions.forEach(([position], k) =>
      kernelWeights(position, nodes).forEach((weight, j) => (totals[j] += weight * sizes[k])),
    );
    return totals.every((total) => total > least);
  };
  return covers(NODES, LEAST_WEIGHT) && covers(DATA_NODES, LEAST_WEIGHT_OF_COVARIANCES);
}

/** Takes means and variances; where the responses are kept, they become residuals. */
function* takeMoments(responses: ResponseRows): Stoppable<Standardisation> {
  const { data, affineIn, coordinates, positions, width } = responses;
  const degree = degreeFor(coordinates.length);
  const exponents = totalDegree(coordinates.length, degree);
  const basis: Float64Array[] = [];
  const equations = new NormalEquations(exponents.length, width);
  yield* responses.forEach((row, values) => {
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
  yield* responses.forEach((row, residual) => {
    basis[row].forEach((factor, b) => {
      for (let i = 0; i < width; i++) residual[i] -= factor * mean[b * width + i];
    });
    const weights = kernelWeights(positions[row][0], nodes);
    covariances.forEach((covariance, j) => covariance.add(residual, weights[j]));
  });
  if (covariances.some(({ total }) => !(total > LEAST_WEIGHT))) {
    throw new InputError(
      `The data have too few rows (${data.rows}) to take their moments from: generate more conditions.`,
    );
  }
  return ConditionalStandardisation.fromNodes(
    data,
    { affineIn, degree, nodes },
    mean,
    covariances.map((covariance) => covariance.average()),
  );
}

function degreeFor(coordinates: number): number {
  return coordinates === 1 ? DEGREE : DEGREE_OF_MANY;
}

/** Distinct sets of conditions that moments of the fields themselves are taken from at least. */
export function leastConditions({ conditions }: Problem): number {
  return totalDegree(conditions.length, degreeFor(conditions.length)).length;
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

  /** keep: the responses of all rows, up to 230 MB, or else they are computed at each visit. */
  constructor(
    readonly data: DataSet | RowSource,
    keep: boolean,
  ) {
    const { problem } = data;
    const rows = Math.min(data.rows, MOST_ROWS);
    this.chosen = Array.from({ length: rows }, (_, i) => Math.floor((i * data.rows) / rows));
    this.affineIn = pickRows(data, this.chosen.slice(0, 1)).latent ? [...problem.affineIn] : [];
    this.coordinates = remainingConditions(problem, this.affineIn);
    this.width = (this.affineIn.length + 1) * problem.fields.length * problem.cells;
    this.kept = keep ? new Float64Array(rows * this.width) : undefined;
  }

  /** Visits the responses (responses, fields x cells) of the rows in order; what is done to them stays where they are kept. */
  *forEach(visit: (row: number, responses: Float64Array) => void): Stoppable<void> {
    const { data, chosen, kept, width, positions } = this;
    const place = (row: number) => kept?.subarray(row * width, (row + 1) * width) ?? new Float64Array(width);
    if (kept && positions.length > 0) {
      for (const row of positions.keys()) {
        if (row % CHUNK_ROWS === 0) yield;
        visit(row, place(row));
      }
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
      yield;
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
