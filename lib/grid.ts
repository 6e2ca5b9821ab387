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
