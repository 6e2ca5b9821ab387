/**
 * A manufactured solution: choose the answer, put it into the equation, and take the source that makes it true.
 *
 * On [0, 1], without units, with k(x) = exp(sin 2x) and u(x) = cos(pi x / 2), whence u'(0) = 0 and u(1) = 0.
 * Source: Roache, "Code verification by the method of manufactured solutions", J. Fluids Eng. 124 (2002).
 */
import { InputError } from "../../../lib/backend/errors";
import { DiffusionSolver, type RightEnd, uniformGrid } from "../../../lib/finiteVolumes";

/** k(x) */
export function manufacturedCoefficient(x: number): number {
  return Math.exp(Math.sin(2 * x));
}

/** u(x) */
export function manufacturedSolution(x: number): number {
  return Math.cos((Math.PI * x) / 2);
}

/** u'(x) */
export function manufacturedSlope(x: number): number {
  return -(Math.PI / 2) * Math.sin((Math.PI * x) / 2);
}

/** The source -(k u')' */
export function manufacturedSource(x: number): number {
  return (
    -manufacturedCoefficient(x) *
    (2 * Math.cos(2 * x) * manufacturedSlope(x) - (Math.PI / 2) ** 2 * manufacturedSolution(x))
  );
}

/** Largest error of the potential's solver, with the reaction r(x) = 1 + x, on a grid of `cells`. */
export function potentialError(cells: number): number {
  const grid = uniformGrid(cells, 1);
  const { centres } = grid;
  const reaction = centres.map((x) => 1 + x);
  const solver = new DiffusionSolver(grid, "flux");
  solver.factor(centres.map(manufacturedCoefficient), reaction);
  const phi = new Float64Array(cells);
  const source = centres.map((x, i) => manufacturedSource(x) + reaction[i] * manufacturedSolution(x));
  solver.solve(source, phi, manufacturedCoefficient(1) * manufacturedSlope(1));
  return largestDifference(phi, centres.map(manufacturedSolution));
}

/**
 * Largest error of the steady concentration's solver on a grid of `cells`; reference: what it is compared with, given
 * x and the last centre, by default the exact solution.
 */
export function concentrationError(
  cells: number,
  rightEnd: RightEnd,
  reference: (x: number, lastCentre: number) => number = manufacturedSolution,
): number {
  const grid = uniformGrid(cells, 1);
  const { centres } = grid;
  const solver = new DiffusionSolver(grid, rightEnd);
  solver.factor(centres.map(manufacturedCoefficient));
  const rise = new Float64Array(cells);
  solver.solve(centres.map(manufacturedSource), rise);
  return largestDifference(
    rise,
    centres.map((x) => reference(x, centres[cells - 1])),
  );
}

/** Orders p observed between successive grids, error ~ cells^-p: (sizes - 1). Throws InputError. */
export function observedOrders(sizes: readonly number[], errors: readonly number[]): number[] {
  if (sizes.length !== errors.length || sizes.length < 2) {
    throw new InputError(
      `There are ${sizes.length} sizes and ${errors.length} errors; give as many of both, two or more.`,
    );
  }
  return errors.slice(1).map((error, i) => Math.log(errors[i] / error) / Math.log(sizes[i + 1] / sizes[i]));
}

/** Largest absolute difference of two arrays of one length. */
export function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}
