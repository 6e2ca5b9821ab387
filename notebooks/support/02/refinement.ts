import { type Convention, ELECTRODE, PorousElectrode } from "../../../lib/electrode";
import { finiteInRange } from "../../../lib/backend/errors";
import { largestDifference } from "./manufactured";
import type { ElectrodeFields } from "./solve";

/** Refinement of the reference: odd, so that every centre of the coarse grid is one of the fine grid. */
const FACTOR = 27;

/**
 * Error of the electrode's fields on a grid of `cells`, against a grid 27 times as fine: largest over the shared
 * centres, c in mol/m3, phi in V.
 *
 * porosityAt: porosity at points in m, a smooth function that does not depend on the grid. conditions: U0 in V, F_right
 * in A/m2. The reference's own error is 1/729 of the measured one at order 2, and 1/27 at order 1, whatever `cells`
 * is, so that it does not change the order. Throws InputError.
 */
export function gridError(
  cells: number,
  convention: Convention,
  porosityAt: (points: Float64Array) => Float64Array,
  conditions: { readonly equilibriumPotential: number; readonly flux: number },
): { readonly c: number; readonly phi: number } {
  finiteInRange("The number of cells", cells, 2, 1e5);
  const solve = (count: number): ElectrodeFields => {
    const electrode = new PorousElectrode(convention, { ...ELECTRODE, cells: count });
    electrode.setPorosity(porosityAt(electrode.grid.centres));
    const fields = { c: new Float64Array(count), phi: new Float64Array(count) };
    electrode.solve(conditions.equilibriumPotential, conditions.flux, fields.c, fields.phi);
    return fields;
  };
  const [coarse, fine] = [solve(cells), solve(FACTOR * cells)];
  const shared = (values: Float64Array) =>
    Float64Array.from({ length: cells }, (_, i) => values[i * FACTOR + (FACTOR - 1) / 2]);
  return {
    c: largestDifference(coarse.c, shared(fine.c)),
    phi: largestDifference(coarse.phi, shared(fine.phi)),
  };
}
