import type { DiffusionSolver } from "../finiteVolumes";

/** Size of the subspace that the 1000 time steps are evaluated in. */
const SUBSPACE = 12;
/** Relative size of the subspace's last coefficients above which it is taken to be too small. */
const SUBSPACE_TOLERANCE = 1e-11;

/** The time steps of a {@link DiffusionSolver} at once. Its factors are those of the solver's present diffusivity. */
export class KrylovEuler {
  private readonly capacity: Float64Array;
  private readonly load: Float64Array;
  private readonly basis: Float64Array[];
  private readonly step = new Float64Array(SUBSPACE * SUBSPACE);
  private readonly square = new Float64Array(SUBSPACE * SUBSPACE);
  private readonly coefficients = new Float64Array(SUBSPACE);
  private readonly scratch = new Float64Array(SUBSPACE);

  constructor(private readonly solver: DiffusionSolver) {
    const { unknowns: n } = solver;
    this.capacity = new Float64Array(n);
    this.load = new Float64Array(n);
    this.basis = Array.from({ length: SUBSPACE + 1 }, () => new Float64Array(n));
  }

  /**
   * The same rise as DiffusionSolver.euler to round-off, for a fraction of the work.
   *
   * With the steady rise v and B = K^-1 w, one step multiplies u - v by (1 + dt B^-1)^-1 = 1 - dt (B + dt)^-1, so that
   *     u = v - (1 - dt (B + dt)^-1)^steps v.
   * Only modes with an eigenvalue of B (a decay time) beyond about steps dt / 30 survive: about six here. The power is
   * therefore evaluated in the Krylov space of B and v, whose w-orthonormal basis Q makes T = Q' w B Q tridiagonal
   * (shift-and-invert Lanczos): Q (1 - dt (T + dt)^-1)^steps Q' w v. The small matrix is raised to the power by
   * repeated squaring. If the last coefficients have not died out, as for porosities far from those drawn here, the
   * plain loop is run instead. Source: Saad, "Analysis of some Krylov subspace approximations to the matrix
   * exponential operator", SIAM J. Numer. Anal. 29 (1992).
   */
  euler(
    porosity: Float64Array,
    source: Float64Array,
    timeStep: number,
    steps: number,
    rise: Float64Array,
  ): void {
    const { solver, capacity, basis, coefficients } = this;
    const { unknowns: n, grid } = solver;
    for (let i = 0; i < n; i++) capacity[i] = porosity[i] * grid.spacing;
    solver.solve(source, rise);
    basis[0].set(rise.subarray(0, n));
    const norm = Math.sqrt(this.weightedProduct(basis[0], basis[0]));
    if (norm === 0) return; // no source, no rise
    scale(basis[0], 1 / norm);

    const size = this.buildBasis();
    this.power(size, timeStep, steps);
    const left = Math.hypot(coefficients[size - 1], coefficients[size - 2]);
    if (size === SUBSPACE && !(left < SUBSPACE_TOLERANCE)) {
      solver.euler(porosity, source, timeStep, steps, rise);
      return;
    }
    for (let k = 0; k < size; k++) addMultiple(rise, basis[k], -norm * coefficients[k]);
  }

  private weightedProduct(a: Float64Array, b: Float64Array): number {
    const { capacity } = this;
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += capacity[i] * a[i] * b[i];
    return sum;
  }

  /** Lanczos from basis[0]; leaves T in this.step (row length SUBSPACE) and returns the size of the space. */
  private buildBasis(): number {
    const { basis, capacity, load, step } = this;
    step.fill(0);
    for (let k = 0; k < SUBSPACE; k++) {
      const next = basis[k + 1];
      for (let i = 0; i < load.length; i++) load[i] = capacity[i] * basis[k][i];
      this.solver.factors.solve(load, next);
      // The three-term recurrence, without orthogonalising against earlier vectors: its known loss of orthogonality
      // costs one more vector here, not accuracy (Druskin and Knizhnerman 1991).
      if (k > 0) addMultiple(next, basis[k - 1], -step[k * SUBSPACE + k - 1]);
      const alpha = this.weightedProduct(next, basis[k]);
      step[k * SUBSPACE + k] = alpha;
      addMultiple(next, basis[k], -alpha);
      const beta = Math.sqrt(this.weightedProduct(next, next));
      if (k + 1 === SUBSPACE) break;
      // A vanishing remainder means that the space is invariant, hence large enough.
      if (!(beta > 1e-15 * step[0])) return k + 1;
      step[k * SUBSPACE + k + 1] = beta;
      step[(k + 1) * SUBSPACE + k] = beta;
      scale(next, 1 / beta);
    }
    return SUBSPACE;
  }

  /** Writes (1 - dt (T + dt)^-1)^steps e_1 to this.coefficients; overwrites T in this.step. */
  private power(size: number, timeStep: number, steps: number): void {
    const { step, square, coefficients, scratch } = this;
    // One factorisation T + dt = L D L', then one column of the inverse at a time.
    const ratios = scratch;
    const pivots = coefficients;
    pivots[0] = step[0] + timeStep;
    for (let i = 1; i < size; i++) {
      const beta = step[i * SUBSPACE + i - 1];
      ratios[i] = beta / pivots[i - 1];
      pivots[i] = step[i * SUBSPACE + i] + timeStep - ratios[i] * beta;
    }
    for (let column = 0; column < size; column++) {
      // Rows above `column` of the forward sweep are zero; the symmetric matrix is stored by rows.
      const row = column * SUBSPACE;
      step.fill(0, row, row + SUBSPACE);
      step[row + column] = 1;
      for (let i = column + 1; i < size; i++) step[row + i] = -ratios[i] * step[row + i - 1];
      for (let i = column; i < size; i++) step[row + i] /= pivots[i];
      for (let i = size - 2; i >= 0; i--) step[row + i] -= ratios[i + 1] * step[row + i + 1];
      for (let i = 0; i < size; i++) step[row + i] *= -timeStep;
      step[row + column] += 1;
    }
    coefficients.fill(0);
    coefficients[0] = 1;
    let matrix = step;
    let other = square;
    for (let remaining = steps; remaining > 0; remaining = Math.floor(remaining / 2)) {
      if (remaining % 2 === 1) {
        for (let i = 0; i < size; i++) scratch[i] = rowProduct(matrix, i, coefficients, 0, size);
        coefficients.set(scratch);
      }
      if (remaining === 1) break;
      for (let i = 0; i < size; i++) {
        for (let j = 0; j <= i; j++) {
          const product = rowProduct(matrix, i, matrix, j, size); // the matrix is symmetric
          other[i * SUBSPACE + j] = product;
          other[j * SUBSPACE + i] = product;
        }
      }
      [matrix, other] = [other, matrix];
    }
  }
}

function scale(values: Float64Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] *= factor;
}

function addMultiple(target: Float64Array, values: Float64Array, factor: number): void {
  for (let i = 0; i < values.length; i++) target[i] += factor * values[i];
}

/** Inner product of row i of a and row j of b, rows of length SUBSPACE. */
function rowProduct(a: Float64Array, i: number, b: Float64Array, j: number, size: number): number {
  let sum = 0;
  for (let k = 0; k < size; k++) sum += a[i * SUBSPACE + k] * b[j * SUBSPACE + k];
  return sum;
}
