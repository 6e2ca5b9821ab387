import { Matrix, solve } from "ml-matrix";
import { InputError } from "../errors";
import { type DataSet, rowConditions } from "./dataset";
import { conditionIndex, normaliseCondition, type Problem } from "./problem";
import { isSource, pickRows, piecesOf, type RowSource } from "./rowSource";

/**
 * Mean and standard deviation of the fields at given conditions: what the network sees is (field - mean) / std.
 * A cell whose field is fixed has a standard deviation of 0 and is reproduced exactly.
 */
export interface Standardisation {
  readonly kind: "global" | "conditional";
  /** conditions (conditions); returns (fields, cells) in the fields' units */
  mean(conditions: Float64Array): Float64Array;
  /** conditions (conditions); returns (fields, cells) in the fields' units, each >= 0 */
  std(conditions: Float64Array): Float64Array;
  /** The moments of the responses (see Problem.responses) of which mean and std are made; none for "global". */
  responses?(conditions: Float64Array): ResponseMoments;
  /** Plain data from which {@link standardisationFrom} makes it again. */
  toJSON(): StandardisationData;
}

/** Moments at one set of conditions: fields = sum_k weights[k] R_k. Without affine conditions R_0 are the fields. */
export interface ResponseMoments {
  /** (responses): 1, then the affine conditions */
  readonly weights: readonly number[];
  /** (responses, fields, cells) */
  readonly mean: Float64Array;
  /** (responses, fields, cells); 0 where a response is fixed up to round-off */
  readonly std: Float64Array;
}

export type StandardisationData =
  | { kind: "global"; mean: number[]; std: number[] }
  | {
      kind: "conditional";
      affineIn: string[];
      degree: number;
      /** (basis functions, responses, fields x cells) */
      mean: number[];
      /** (fields x cells): the value of a cell that is the same in every row of the data, otherwise null */
      fixed: (number | null)[];
      nodes: number[];
      /** (nodes, response pairs, fields x cells) */
      covariance: number[];
    };

/** One mean and one standard deviation a field, over all rows and cells: the blog's scaling. */
export function globalStandardisation(data: DataSet | RowSource): Standardisation {
  const { problem, rows } = data;
  const { cells } = problem;
  const count = problem.fields.length;
  /** Sums over all rows and cells of each field, one value after the other. */
  const sums = (term: (value: number, field: number) => number) => {
    const sum = new Array<number>(count).fill(0);
    for (const piece of piecesOf(data)) {
      for (let start = 0, f = 0; start < piece.fields.length; start += cells, f = (f + 1) % count) {
        for (let i = start; i < start + cells; i++) sum[f] += term(piece.fields[i], f);
      }
    }
    return sum;
  };
  const mean = sums((value) => value).map((sum) => sum / (rows * cells));
  const std = sums((value, f) => (value - mean[f]) ** 2).map((sum) => Math.sqrt(sum / (rows * cells)));
  std.forEach((value, f) => {
    if (!(value > 0)) throw new InputError(`The field ${problem.fields[f].name} does not vary in the data.`);
  });
  return standardisationFrom(problem, { kind: "global", mean, std });
}

/** Nodes over [-1, 1] at which the conditional covariance is kept, and the width of its kernel average. */
const NODES = 17;
const KERNEL_WIDTH = 2 / (NODES - 1);
/** A cell whose spread is this much smaller than the field's largest is taken as fixed. */
const SMALLEST_SPREAD = 1e-6;
/** Rows that the moments are taken from: enough for means to one or two per cent of a standard deviation. */
const MOST_ROWS = 48000;

/** What the moments of a data set were taken from, for others to take more of. */
export interface ConditionalMoments {
  readonly standardisation: Standardisation;
  readonly rows: number;
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
  const { standardisation, positions, residuals } = takeMoments(data, true);
  return { standardisation, rows: positions.length, residuals: residuals!, positions };
}

/** Rows that are held at a time where not all are. */
const CHUNK_ROWS = 1024;

/** Takes the moments. kept: the residuals of all rows, up to 230 MB, or else all is computed twice. */
function takeMoments(
  data: DataSet | RowSource,
  kept: boolean,
): Pick<ConditionalMoments, "standardisation" | "positions"> & { readonly residuals?: Float64Array } {
  const { problem } = data;
  const rows = Math.min(data.rows, MOST_ROWS);
  const chosen = Array.from({ length: rows }, (_, i) => Math.floor((i * data.rows) / rows));
  const affineIn = pickRows(data, chosen.slice(0, 1)).latent ? [...problem.affineIn] : [];
  const size = problem.fields.length * problem.cells;
  const count = affineIn.length + 1;
  const coordinates = remainingConditions(problem, affineIn);
  const degree = coordinates.length === 1 ? 7 : 3;
  const exponents = totalDegree(coordinates.length, degree);

  const width = count * size;
  const residuals = kept ? new Float64Array(rows * width) : undefined;
  /** Visits the responses (responses, fields x cells) of the rows in order. */
  const eachRow = (visit: (row: number, responses: Float64Array, conditions: Float64Array) => void) => {
    for (let start = 0; start < rows; start += CHUNK_ROWS) {
      const part = pickRows(data, chosen.slice(start, start + CHUNK_ROWS));
      for (let row = 0; row < part.rows; row++) {
        const values =
          part.latent && affineIn.length > 0
            ? problem.responses(part.latent.subarray(row * problem.cells, (row + 1) * problem.cells))
            : [part.fields.subarray(row * size, (row + 1) * size)];
        const at = residuals ? (start + row) * width : 0;
        const responses = residuals?.subarray(at, at + width) ?? new Float64Array(width);
        values.forEach((value, k) => responses.set(value, k * size));
        visit(start + row, responses, rowConditions(part, row));
      }
    }
  };
  const positions: number[][] = [];
  const basis: Float64Array[] = [];
  const equations = new NormalEquations(exponents.length, width);
  eachRow((row, responses, conditions) => {
    positions.push(positionOf(problem, coordinates, conditions));
    basis.push(chebyshevProducts(positions[row], exponents));
    equations.add(basis[row], responses);
  });
  const distinct = new Set(positions.map((position) => position.join())).size;
  if (distinct < exponents.length) {
    throw new InputError(
      `The data have too few different conditions (${distinct}) to take their moments from: generate at least ` +
        `${exponents.length}, better hundreds.`,
    );
  }
  const mean = equations.solve();

  // With several remaining conditions there is one node and no kernel: the residuals' covariance over all rows.
  const nodes =
    coordinates.length === 1 ? Array.from({ length: NODES }, (_, j) => -1 + j * KERNEL_WIDTH) : [0];
  const pairs = pairsOf(count);
  const covariance = new Float64Array(nodes.length * pairs.length * size);
  const totals = nodes.map(() => 0);
  const addRow = (row: number, residual: Float64Array) => {
    for (let b = 0; b < exponents.length; b++) {
      const factor = basis[row][b];
      for (let i = 0; i < width; i++) residual[i] -= factor * mean[b * width + i];
    }
    nodes.forEach((node, j) => {
      const weight =
        nodes.length === 1 ? 1 : Math.exp(-0.5 * ((positions[row][0] - node) / KERNEL_WIDTH) ** 2);
      if (weight < 1e-6) return;
      totals[j] += weight;
      pairs.forEach(([k, l], p) => {
        const to = (j * pairs.length + p) * size;
        const [a, b] = [k * size, l * size];
        for (let i = 0; i < size; i++) covariance[to + i] += weight * residual[a + i] * residual[b + i];
      });
    });
  };
  if (residuals) {
    for (let row = 0; row < rows; row++) addRow(row, residuals.subarray(row * width, (row + 1) * width));
  } else eachRow(addRow);
  totals.forEach((total, j) => {
    if (!(total > 10)) {
      throw new InputError(
        `The data have too few rows (${data.rows}) to take their moments from: generate more conditions.`,
      );
    }
    const to = j * pairs.length * size;
    for (let i = to; i < to + pairs.length * size; i++) covariance[i] /= total;
  });
  const standardisation = conditionalFrom(data, { affineIn, degree, mean, nodes, covariance });
  return { standardisation, positions, residuals };
}

/** Moments at nodes as a standardisation; data: tell which cells are fixed. */
export function conditionalFrom(
  data: DataSet | RowSource,
  moments: {
    readonly affineIn: string[];
    readonly degree: number;
    /** (basis functions, responses, fields x cells) */
    readonly mean: Float64Array;
    readonly nodes: number[];
    /** (nodes, response pairs, fields x cells) */
    readonly covariance: Float64Array;
  },
): Standardisation {
  // Digits beyond these are far below the sampling error; the mean keeps more, as it is large beside its spread.
  const rounded = (values: Float64Array, digits: number) =>
    Array.from(values, (value) => Number(value.toPrecision(digits)));
  return standardisationFrom(data.problem, {
    kind: "conditional",
    ...moments,
    mean: rounded(moments.mean, 13),
    fixed: fixedCells(data),
    covariance: rounded(moments.covariance, 8),
  });
}

/** Makes a standardisation from its plain data. Throws InputError if their sizes do not fit the problem. */
export function standardisationFrom(problem: Problem, data: StandardisationData): Standardisation {
  const { cells } = problem;
  const size = problem.fields.length * cells;
  const check = (name: string, values: unknown, length: number) => {
    if (Array.isArray(values) && values.length === length && values.every(Number.isFinite)) return;
    throw new InputError(
      `The standardisation's ${name} is not a list of ${length} numbers: the model is damaged.`,
    );
  };
  if (data.kind === "global") {
    check("mean", data.mean, problem.fields.length);
    check("std", data.std, problem.fields.length);
    const spread = (values: number[]) =>
      Float64Array.from({ length: size }, (_, i) => values[Math.floor(i / cells)]);
    const [mean, std] = [spread(data.mean), spread(data.std)];
    return { kind: "global", mean: () => mean, std: () => std, toJSON: () => data };
  }
  const { affineIn, degree, nodes, fixed } = data;
  const count = affineIn.length + 1;
  const coordinates = remainingConditions(problem, affineIn);
  const exponents = totalDegree(coordinates.length, degree);
  const pairs = pairsOf(count);
  check("mean", data.mean, exponents.length * count * size);
  if (!Array.isArray(fixed) || fixed.length !== size) {
    throw new InputError("The standardisation's fixed cells are missing: the model is damaged.");
  }
  check("covariance", data.covariance, nodes.length * pairs.length * size);
  const weights = (conditions: Float64Array) => [
    1,
    ...affineIn.map((name) => conditions[conditionIndex(problem, name)]),
  ];
  /** The two nodes around the conditions, or the only one, with their shares. */
  const around = (conditions: Float64Array): [number, number][] => {
    if (nodes.length === 1) return [[0, 1]];
    const at = ((positionOf(problem, coordinates, conditions)[0] + 1) * (nodes.length - 1)) / 2;
    const left = Math.max(0, Math.min(nodes.length - 2, Math.floor(at)));
    return [
      [left, left + 1 - at],
      [left + 1, at - left],
    ];
  };
  /** Standard deviation (fields, cells) of a sum of responses, from the factors of their covariances; 0 where fixed. */
  const deviation = (conditions: Float64Array, factorOf: (pair: [number, number]) => number) => {
    const variance = new Float64Array(size);
    for (const [node, share] of around(conditions)) {
      pairs.forEach((pair, p) => {
        const factor = share * factorOf(pair);
        if (factor === 0) return;
        const from = (node * pairs.length + p) * size;
        for (let i = 0; i < size; i++) variance[i] += factor * data.covariance[from + i];
      });
    }
    const std = variance.map((value, i) => (fixed[i] === null ? Math.sqrt(Math.max(0, value)) : 0));
    // A cell that these conditions fix, such as c at the end where no current flows, has a spread of round-off.
    return withoutRoundOff(std, cells, SMALLEST_SPREAD);
  };
  return {
    kind: "conditional",
    mean(conditions) {
      const w = weights(conditions);
      const basis = chebyshevProducts(positionOf(problem, coordinates, conditions), exponents);
      const mean = new Float64Array(size);
      for (let b = 0; b < exponents.length; b++) {
        for (let k = 0; k < count; k++) {
          const from = (b * count + k) * size;
          for (let i = 0; i < size; i++) mean[i] += basis[b] * w[k] * data.mean[from + i];
        }
      }
      return mean.map((value, i) => fixed[i] ?? value);
    },
    std(conditions) {
      const w = weights(conditions);
      return deviation(conditions, ([k, l]) => w[k] * w[l] * (k === l ? 1 : 2));
    },
    responses(conditions) {
      const basis = chebyshevProducts(positionOf(problem, coordinates, conditions), exponents);
      const mean = new Float64Array(count * size);
      basis.forEach((factor, n) => {
        for (let i = 0; i < mean.length; i++) mean[i] += factor * data.mean[n * mean.length + i];
      });
      const std = new Float64Array(count * size);
      for (let k = 0; k < count; k++) {
        const own = deviation(conditions, (pair) => (pair[0] === k && pair[1] === k ? 1 : 0));
        std.set(own, k * size);
      }
      return { weights: weights(conditions), mean, std };
    },
    toJSON: () => data,
  };
}

/** Spreads (any number of fields, cells), 0 in cells where they are at most this share of the field's largest. */
export function withoutRoundOff(std: Float64Array, cells: number, share: number): Float64Array {
  const largest = Array.from({ length: std.length / cells }, (_, f) =>
    std.subarray(f * cells, (f + 1) * cells).reduce((most, value) => Math.max(most, value), 0),
  );
  return std.map((value, i) => (value > share * largest[Math.floor(i / cells)] ? value : 0));
}

/** The value of each cell that never changes, null for the others. */
function fixedCells(data: DataSet | RowSource): (number | null)[] {
  const size = data.problem.fields.length * data.problem.cells;
  let first: Float64Array | undefined;
  let fixed = Array.from({ length: size }, (_, i) => i);
  for (const { fields } of piecesOf(data)) {
    first ??= fields.slice(0, size);
    const values = first;
    for (let start = 0; start < fields.length && fixed.length > 0; start += size) {
      if (fixed.some((i) => fields[start + i] !== values[i])) {
        fixed = fixed.filter((i) => fields[start + i] === values[i]);
      }
    }
    if (fixed.length === 0) break;
  }
  const known = new Set(fixed);
  return Array.from({ length: size }, (_, i) => (first && known.has(i) ? first[i] : null));
}

/** Indices of the conditions that are not affine. */
export function remainingConditions(problem: Problem, affineIn: readonly string[]): number[] {
  return problem.conditions.flatMap(({ name }, k) => (affineIn.includes(name) ? [] : [k]));
}

function positionOf(problem: Problem, coordinates: readonly number[], conditions: Float64Array): number[] {
  return coordinates.map((k) => normaliseCondition(problem.conditions[k], conditions[k]));
}

/** Pairs k <= l of `count` responses. */
export function pairsOf(count: number): [number, number][] {
  return Array.from({ length: count }, (_, k) => k).flatMap((k) =>
    Array.from({ length: count - k }, (_, l): [number, number] => [k, k + l]),
  );
}

/** Exponents of all products of powers up to a total degree. */
export function totalDegree(dimensions: number, degree: number): number[][] {
  if (dimensions === 0) return [[]];
  return Array.from({ length: degree + 1 }, (_, first) => first).flatMap((first) =>
    totalDegree(dimensions - 1, degree - first).map((rest) => [first, ...rest]),
  );
}

/** Products of Chebyshev polynomials at a point of [-1, 1]^d. */
export function chebyshevProducts(point: readonly number[], exponents: readonly number[][]): Float64Array {
  return Float64Array.from(exponents, (degrees) =>
    degrees.reduce(
      (product, n, d) => product * Math.cos(n * Math.acos(Math.max(-1, Math.min(1, point[d])))),
      1,
    ),
  );
}

/** Coefficients (basis, columns) that fit values (rows, columns) by least squares. */
export function leastSquares(
  basis: readonly Float64Array[],
  values: Float64Array,
  columns: number,
): Float64Array {
  const equations = new NormalEquations(basis[0].length, columns);
  basis.forEach((row, r) => equations.add(row, values.subarray(r * columns, (r + 1) * columns)));
  return equations.solve();
}

/** Least squares from rows that come one by one. */
class NormalEquations {
  private readonly normal: Matrix;
  private readonly right: readonly Float64Array[];

  constructor(
    private readonly size: number,
    private readonly columns: number,
  ) {
    this.normal = Matrix.zeros(size, size);
    this.right = Array.from({ length: size }, () => new Float64Array(columns));
  }

  /** Adds a row: basis (basis), values (columns). */
  add(basis: Float64Array, values: Float64Array): void {
    const { normal, right, size, columns } = this;
    for (let a = 0; a < size; a++) {
      for (let b = 0; b < size; b++) normal.set(a, b, normal.get(a, b) + basis[a] * basis[b]);
      for (let i = 0; i < columns; i++) right[a][i] += basis[a] * values[i];
    }
  }

  /** Coefficients (basis, columns). */
  solve(): Float64Array {
    const { normal, right, size, columns } = this;
    const inverse = solve(normal, Matrix.eye(size));
    const coefficients = new Float64Array(size * columns);
    for (let a = 0; a < size; a++) {
      for (let b = 0; b < size; b++) {
        const factor = inverse.get(a, b);
        for (let i = 0; i < columns; i++) coefficients[a * columns + i] += factor * right[b][i];
      }
    }
    return coefficients;
  }
}
