import { DiffusionSolver, type RightEnd, uniformGrid } from "../../../lib/finiteVolumes";

/** Where the numbers of a solution are taken to stand: at the cells' centres, or at the nodes i L / (N - 1). */
export type GridReading = "centres" | "nodes";

/** The positions that a reading gives the values of N cells on [0, length]: (cells), in the length's unit. */
export function readPositions(cells: number, length: number, reading: GridReading): Float64Array {
  if (reading === "centres") return uniformGrid(cells, length).centres;
  return Float64Array.from({ length: cells }, (_, i) => (i * length) / (cells - 1));
}

/**
 * Largest error of a steady concentration relative to its rise, against the closed form s (L^2 - x^2) / (2 D).
 *
 * Solves (D u')' + s = 0 with u'(0) = 0 and u(L) = 0 on N cells, all constants 1, and compares at the positions of the
 * reading.
 */
export function gridReadingError(cells: number, rightEnd: RightEnd, reading: GridReading): number {
  const solver = new DiffusionSolver(uniformGrid(cells, 1), rightEnd);
  solver.factor(new Float64Array(cells).fill(1));
  const rise = new Float64Array(cells);
  solver.solve(new Float64Array(cells).fill(1), rise);
  const positions = readPositions(cells, 1, reading);
  return rise.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (1 - positions[i] ** 2) / 2) / 0.5),
    0,
  );
}
