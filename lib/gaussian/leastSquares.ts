/** Least squares with products of Chebyshev polynomials. */
import { EigenvalueDecomposition, Matrix, solve } from "ml-matrix";

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

/** Least squares from rows that come one by one, by the normal equations. */
export class NormalEquations {
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
    const inverse = inverseOf(this.normal);
    return Float64Array.from(inverse.mmul(new Matrix([...this.right])).to1DArray());
  }
}

/** Below this share of the largest, an eigenvalue of the normal equations is round-off of zero. */
const SMALLEST_EIGENVALUE = 1e-13;

/**
 * The inverse, or the pseudoinverse of rows that leave coefficients undetermined, such as those of data in which a condition
 * never changes: the smallest coefficients are taken then.
 */
function inverseOf(normal: Matrix): Matrix {
  const { realEigenvalues: values, eigenvectorMatrix: vectors } = new EigenvalueDecomposition(normal, {
    assumeSymmetric: true,
  });
  const smallest = SMALLEST_EIGENVALUE * Math.max(...values);
  if (values.every((value) => value > smallest)) return solve(normal, Matrix.eye(normal.rows));
  const inverses = values.map((value) => (value > smallest ? 1 / value : 0));
  return vectors.mmul(Matrix.diag(inverses)).mmul(vectors.transpose());
}
