/**
 * Factorisation of the symmetric tridiagonal matrices of this project, made once and used for many right-hand sides.
 *
 * A matrix is given by its links g_{i+1/2} >= 0 between neighbouring unknowns and the excess h_i >= 0 of the diagonal:
 *
 *     (A x)_i = g_{i-1/2} (x_i - x_{i-1}) + g_{i+1/2} (x_i - x_{i+1}) + h_i x_i.
 *
 * Ordinary elimination forms the pivot g_{i+1/2} + g_{i-1/2} + h_i - g_{i-1/2}^2 / p_{i-1}. Here h is about 1e-7 of g,
 * so adding h to g loses 7 digits of it and the subtraction brings the loss to light. Written for the excess,
 *
 *     e_0 = h_0,   p_i = e_i + g_{i+1/2},   e_{i+1} = h_{i+1} + g_{i+1/2} e_i / p_i,
 *
 * the same elimination only adds, multiplies and divides non-negative numbers, so that every entry of the factors,
 * and of the solution for a right-hand side of one sign, is accurate to a few units of round-off.
 * Source: Alfa, Xue, Ye, "Accurate computation of the smallest eigenvalue of a diagonally dominant M-matrix",
 * Math. Comp. 71 (2002).
 */
export class TridiagonalFactors {
  /** g_{i+1/2} / p_i (n - 1) */
  private readonly ratios: Float64Array;
  /** 1 / p_i (n) */
  private readonly inversePivots: Float64Array;

  constructor(readonly size: number) {
    this.ratios = new Float64Array(size - 1);
    this.inversePivots = new Float64Array(size);
  }

  /** Factorises. links: (size - 1), excess: (size). Throws RangeError if the matrix is singular or not finite. */
  factor(links: Float64Array, excess: Float64Array): this {
    const { size, ratios, inversePivots } = this;
    let reduced = excess[0];
    for (let i = 0; i < size - 1; i++) {
      const inverse = 1 / (reduced + links[i]);
      const ratio = links[i] * inverse;
      inversePivots[i] = inverse;
      ratios[i] = ratio;
      reduced = excess[i + 1] + ratio * reduced;
    }
    inversePivots[size - 1] = 1 / reduced;
    // A zero or non-finite pivot anywhere makes the last one zero, infinite or NaN.
    if (!(reduced > 0 && reduced < Infinity)) throw new RangeError("The tridiagonal matrix is singular.");
    return this;
  }

  /** Solves A x = b. b: (size), x: written (size); both may be the same array. */
  solve(b: Float64Array, x: Float64Array): void {
    const { size, ratios, inversePivots } = this;
    let value = b[0];
    x[0] = value;
    for (let i = 1; i < size; i++) {
      value = b[i] + ratios[i - 1] * value;
      x[i] = value;
    }
    value *= inversePivots[size - 1];
    x[size - 1] = value;
    for (let i = size - 2; i >= 0; i--) {
      value = x[i] * inversePivots[i] + ratios[i] * value;
      x[i] = value;
    }
  }
}
