import { type Grid, linkConductances } from "./grid";
import { TridiagonalFactors } from "./tridiagonal";

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
