import { InputError, integerInRange } from "../../../lib/backend/errors";
import { TridiagonalFactors, uniformGrid } from "../../../lib/finiteVolumes";

/** Two half cells in series: their resistances add. */
export function harmonicMean(a: number, b: number): number {
  return (2 * a * b) / (a + b);
}

/** Two half cells side by side, for comparison: wrong for a face that a current crosses. */
export function arithmeticMean(a: number, b: number): number {
  return (a + b) / 2;
}

export interface TwoLayers {
  /** m */
  readonly length: number;
  /** S/m, left and right of the middle */
  readonly conductivities: readonly [number, number];
  /** A/m2, flowing towards x = 0 */
  readonly current: number;
}

/** The electrode's thickness; the conductivities of the largest and the smallest porosity; the middle of F's range. */
export const TWO_LAYERS: TwoLayers = {
  length: 1e-4,
  conductivities: [0.5 ** 1.5, 0.2 ** 1.5],
  current: 25,
};

/** Exact potential in V of the two layers at points in m: straight in each, phi(0) = 0. */
export function twoLayersExact(points: Float64Array, layers = TWO_LAYERS): Float64Array {
  const { length, conductivities, current } = layers;
  return points.map(
    (x) =>
      (current * Math.min(x, length / 2)) / conductivities[0] +
      (current * Math.max(0, x - length / 2)) / conductivities[1],
  );
}

/**
 * Finite-volume potential in V (cells) of -(k phi')' = 0, phi(0) = 0 at the face, k phi'(L) = current, for a way to
 * average the conductivities of two cells into that of their face. cells: even, so that the layers meet at a face.
 * Throws InputError.
 */
export function solveTwoLayers(
  cells: number,
  faceMean: (left: number, right: number) => number,
  layers = TWO_LAYERS,
): { readonly centres: Float64Array; readonly phi: Float64Array } {
  if (integerInRange("The number of cells", cells, 2, 1e6) % 2 !== 0) {
    throw new InputError(`The number of cells is ${cells}; give an even one: the layers meet at a face.`);
  }
  const { centres, spacing } = uniformGrid(cells, layers.length);
  const conductivity = centres.map((_, i) => layers.conductivities[i < cells / 2 ? 0 : 1]);
  const links = Float64Array.from(
    { length: cells - 1 },
    (_, i) => faceMean(conductivity[i], conductivity[i + 1]) / spacing,
  );
  const excess = new Float64Array(cells);
  excess[0] = (2 * conductivity[0]) / spacing; // half a cell to phi = 0
  const phi = new Float64Array(cells);
  phi[cells - 1] = layers.current;
  new TridiagonalFactors(cells).factor(links, excess).solve(phi, phi);
  return { centres, phi };
}
