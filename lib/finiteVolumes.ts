/** Finite volumes on [0, L]: the grid, the tridiagonal systems, and the solvers of the potential and the concentration. */
import { finiteInRange, integerInRange } from "./errors";

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
  finiteInRange("The length", length, Number.MIN_VALUE, Number.MAX_VALUE, "m");
  const spacing = length / cells;
  return {
    cells,
    length,
    spacing,
    centres: Float64Array.from({ length: cells }, (_, i) => (i + 0.5) * spacing),
  };
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

/**
 * Finite-volume solver of -(k phi')' + r phi = s on [0, L] with phi'(0) = 0 and k phi'(L) given.
 *
 * Integrated over cell i, with the link conductances g = k_face / dx:
 *     g_{i-1/2} (phi_i - phi_{i-1}) + g_{i+1/2} (phi_i - phi_{i+1}) + r_i dx phi_i = s_i dx + [i last] k phi'(L).
 * Second order in dx up to both ends, since the fluxes there are exact.
 */
export class PotentialSolver {
  private readonly links: Float64Array;
  private readonly excess: Float64Array;
  private readonly factors: TridiagonalFactors;

  constructor(readonly grid: Grid) {
    this.links = new Float64Array(grid.cells - 1);
    this.excess = new Float64Array(grid.cells);
    this.factors = new TridiagonalFactors(grid.cells);
  }

  /** Sets k in S/m (cells) and r in S/m3 (cells), both positive. Throws RangeError if they are not. */
  factor(conductivity: Float64Array, reaction: Float64Array): void {
    linkConductances(conductivity, this.grid.spacing, this.links);
    for (let i = 0; i < reaction.length; i++) this.excess[i] = reaction[i] * this.grid.spacing;
    this.factors.factor(this.links, this.excess);
  }

  /** Solves for phi in V (cells, written). source: s in A/m3 (cells); rightFlux: k phi'(L) in A/m2. */
  solve(source: Float64Array, rightFlux: number, phi: Float64Array): void {
    const last = this.grid.cells - 1;
    for (let i = 0; i <= last; i++) phi[i] = source[i] * this.grid.spacing;
    phi[last] += rightFlux;
    this.factors.solve(phi, phi);
  }
}

/** Subtracts the first cell's value in place: the slope at x = 0 is zero, so it stands for phi(0). */
export function ground(phi: Float64Array): void {
  const first = phi[0];
  for (let i = 0; i < phi.length; i++) phi[i] -= first;
}

/** Where the concentration is fixed: at the face x = L, or in the centre of the last cell. */
export type RightEnd = "face" | "last cell";

/**
 * Finite-volume solver of eps du/dt = (D u')' + s on [0, L] for the rise u = c - c_right of a concentration above
 * its fixed value at the right end, with u'(0) = 0.
 *
 * Integrated over cell i, with the link conductances g = D_face / dx and capacities w = eps dx:
 *     w_i du_i/dt + g_{i-1/2} (u_i - u_{i-1}) + g_{i+1/2} (u_i - u_{i+1}) = s_i dx,
 * or w du/dt + K u = s dx. Right end "face": the last cell is linked to u = 0 half a cell away, second order.
 * Right end "last cell": u = 0 in the last cell, so its centre stands for x = L, first order.
 */
export class ConcentrationSolver {
  /** Cells with an unknown: all, or all but the last. */
  readonly unknowns: number;
  /** Of K. */
  readonly steadyFactors: TridiagonalFactors;
  private readonly links: Float64Array;
  private readonly excess: Float64Array;

  constructor(
    readonly grid: Grid,
    readonly rightEnd: RightEnd,
  ) {
    this.unknowns = rightEnd === "face" ? grid.cells : grid.cells - 1;
    this.links = new Float64Array(grid.cells - 1);
    this.excess = new Float64Array(this.unknowns);
    this.steadyFactors = new TridiagonalFactors(this.unknowns);
  }

  /** Sets D in m2/s (cells), positive. Throws RangeError if it is not. */
  factor(diffusivity: Float64Array): void {
    const { grid, unknowns: n } = this;
    linkConductances(diffusivity, grid.spacing, this.links);
    // The link to u = 0: half a cell with the last cell's D, or the whole link to the last cell.
    this.excess[n - 1] =
      this.rightEnd === "face" ? (2 * diffusivity[n - 1]) / grid.spacing : this.links[n - 1];
    this.steadyFactors.factor(this.links, this.excess);
  }

  /** Steady rise K^-1 s dx in mol/m3 (cells, written). source: s in mol/(m3 s) (cells). */
  steady(source: Float64Array, rise: Float64Array): void {
    for (let i = 0; i < this.unknowns; i++) rise[i] = source[i] * this.grid.spacing;
    this.steadyFactors.solve(rise, rise);
    if (this.rightEnd === "last cell") rise[this.unknowns] = 0;
  }

  /**
   * Rise after `steps` steps of implicit Euler from zero. PorousElectrode gets it by KrylovEuler (lib/backend/krylov.ts),
   * which is the same to round-off for a fraction of the work.
   * porosity (cells), source: s in mol/(m3 s) (cells), timeStep in s, rise in mol/m3 (cells, written).
   */
  euler(
    porosity: Float64Array,
    source: Float64Array,
    timeStep: number,
    steps: number,
    rise: Float64Array,
  ): void {
    const { unknowns: n, grid } = this;
    // (w + dt K) u_new = w u_old + dt s dx
    const capacity = porosity.map((value) => value * grid.spacing);
    const step = new TridiagonalFactors(n).factor(
      this.links.map((link) => timeStep * link),
      this.excess.map((value, i) => capacity[i] + timeStep * value),
    );
    const load = new Float64Array(n);
    rise.fill(0);
    for (let k = 0; k < steps; k++) {
      for (let i = 0; i < n; i++) load[i] = capacity[i] * rise[i] + timeStep * source[i] * grid.spacing;
      step.solve(load, rise);
    }
    if (this.rightEnd === "last cell") rise[n] = 0;
  }
}
