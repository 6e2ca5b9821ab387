/** Finite volumes on [0, L]: the grid, the tridiagonal systems, and the solver of the potential and the concentration. */
import { integerInRange, positive } from "./backend/errors";

/** A cell-centred grid of equal cells on [0, length]. */
export interface Grid {
  readonly cells: number;
  /** m */
  readonly length: number;
  /** width of a cell, m */
  readonly spacing: number;
  /** cell centres, m (cells) */
  readonly centres: Float64Array;
}

/** Builds the grid of `cells` equal cells on [0, length], length in m. Throws InputError. */
export function uniformGrid(cells: number, length: number): Grid {
  integerInRange("The number of cells", cells, 2, 1e6);
  positive("The length", length, "m");
  const spacing = length / cells;
  const centres = Float64Array.from({ length: cells }, (_, i) => (i + 0.5) * spacing);
  return { cells, length, spacing, centres };
}

/**
 * Conductances g = k_face / dx of the links between neighbouring cells.
 * coefficients: positive cell values k (n); links: written (n - 1). The face value is the harmonic mean of the two
 * cells: two half cells in series. Source: Patankar 1980, section 4.2-3.
 */
export function linkConductances(coefficients: Float64Array, spacing: number, links: Float64Array): void {
  for (let i = 0; i < links.length; i++) {
    const left = coefficients[i];
    const right = coefficients[i + 1];
    links[i] = (2 * left * right) / ((left + right) * spacing);
  }
}

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

  /** Factorises. links: (size - 1) or more, excess: (size). Throws RangeError if the matrix is singular or not finite. */
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

/** What is given at x = L: the flux k u'(L), or u = 0 at the face x = L or in the centre of the last cell. */
export type RightEnd = "flux" | "face" | "last cell";

/**
 * Finite-volume solver of -(k u')' + r u = s on [0, L] with u'(0) = 0: of the potential (right end "flux"), and of the
 * rise of the concentration above its value at the right end.
 *
 * Integrated over cell i, with the link conductances g = k_face / dx:
 *     g_{i-1/2} (u_i - u_{i-1}) + g_{i+1/2} (u_i - u_{i+1}) + r_i dx u_i = s_i dx + [i last] k u'(L),
 * or K u = s dx. Right end "flux": second order, since the fluxes at both ends are exact. "face": the last cell is linked
 * to u = 0 half a cell away, second order. "last cell": u = 0 there, so its centre stands for x = L, first order.
 */
export class DiffusionSolver {
  /** Cells with an unknown: all, or all but the last. */
  readonly unknowns: number;
  /** Of K. */
  readonly factors: TridiagonalFactors;
  private readonly links: Float64Array;
  private readonly excess: Float64Array;

  constructor(
    readonly grid: Grid,
    readonly rightEnd: RightEnd,
  ) {
    this.unknowns = rightEnd === "last cell" ? grid.cells - 1 : grid.cells;
    this.links = new Float64Array(grid.cells - 1);
    this.excess = new Float64Array(this.unknowns);
    this.factors = new TridiagonalFactors(this.unknowns);
  }

  /** Sets k (cells), positive, and r (cells), which may be left out where u is given at the right end. Throws RangeError. */
  factor(coefficient: Float64Array, reaction?: Float64Array): void {
    const { grid, unknowns: n, links, excess, rightEnd } = this;
    linkConductances(coefficient, grid.spacing, links);
    for (let i = 0; i < n; i++) excess[i] = reaction ? reaction[i] * grid.spacing : 0;
    // The link to u = 0: half a cell with the last cell's k, or the whole link to the last cell.
    if (rightEnd === "face") excess[n - 1] += (2 * coefficient[n - 1]) / grid.spacing;
    if (rightEnd === "last cell") excess[n - 1] += links[n - 1];
    this.factors.factor(links, excess);
  }

  /** Solves for u (cells, written). source: s (cells); rightFlux: k u'(L), of the right end "flux". */
  solve(source: Float64Array, u: Float64Array, rightFlux = 0): void {
    const { grid, unknowns: n } = this;
    for (let i = 0; i < n; i++) u[i] = source[i] * grid.spacing;
    u[n - 1] += rightFlux;
    this.factors.solve(u, u);
    if (n < grid.cells) u[n] = 0;
  }

  /**
   * u after `steps` steps of implicit Euler from zero of w u' + K u = s dx, with the capacities w = porosity dx.
   * PorousElectrode gets it by KrylovEuler (lib/backend/krylov.ts), which is the same to round-off for a fraction of the
   * work. porosity, source: s (cells), timeStep in s, u (cells, written).
   */
  euler(
    porosity: Float64Array,
    source: Float64Array,
    timeStep: number,
    steps: number,
    u: Float64Array,
  ): void {
    const { grid, unknowns: n } = this;
    // (w + dt K) u_new = w u_old + dt s dx
    const capacity = porosity.map((value) => value * grid.spacing);
    const step = new TridiagonalFactors(n).factor(
      this.links.map((link) => timeStep * link),
      this.excess.map((value, i) => capacity[i] + timeStep * value),
    );
    const load = new Float64Array(n);
    u.fill(0);
    for (let k = 0; k < steps; k++) {
      for (let i = 0; i < n; i++) load[i] = capacity[i] * u[i] + timeStep * source[i] * grid.spacing;
      step.solve(load, u);
    }
    if (n < grid.cells) u[n] = 0;
  }
}

/** Subtracts the first cell's value in place: the slope at x = 0 is zero, so it stands for phi(0). */
export function ground(phi: Float64Array): void {
  const first = phi[0];
  for (let i = 0; i < phi.length; i++) phi[i] -= first;
}
