import { power } from "../../../lib/backend/power";
import { InputError } from "../../../lib/backend/errors";
import { ground, linkConductances, uniformGrid } from "../../../lib/finiteVolumes";
import { ELECTRODE } from "../../../lib/electrode";

/**
 * Two ways of eliminating the same tridiagonal system (see TridiagonalFactors): "difference" forms the pivot as the
 * diagonal less what elimination takes off, "excess" keeps the diagonal's excess over the links apart and only adds.
 */
export type EliminationForm = "difference" | "excess";

/** Bits of precision: every operation is rounded to float32 or left in float64. */
export type Precision = "float32" | "float64";

/**
 * Solves g_{i-1/2} (x_i - x_{i-1}) + g_{i+1/2} (x_i - x_{i+1}) + h_i x_i = b_i with each operation rounded.
 *
 * links g: (n - 1), excess h and load b: (n); returns x (n). For teaching: TridiagonalFactors is the solver. Throws
 * InputError when a pivot is not positive, as round-off may leave it.
 */
export function eliminate(
  form: EliminationForm,
  precision: Precision,
  links: Float64Array,
  excess: Float64Array,
  load: Float64Array,
): Float64Array {
  const f = precision === "float32" ? Math.fround : (value: number) => value;
  const n = excess.length;
  const [g, h] = [links.map(f), excess.map(f)];
  const ratios = new Float64Array(n);
  const x = new Float64Array(n);
  let reduced = h[0]; // the pivot's excess over its link to the next cell
  for (let i = 0; i < n; i++) {
    const [left, right] = [i > 0 ? g[i - 1] : 0, i < n - 1 ? g[i] : 0];
    const ratio = i > 0 ? ratios[i - 1] : 0;
    const diagonal = f(f(left + right) + h[i]);
    if (form === "excess" && i > 0) reduced = f(h[i] + f(ratio * reduced));
    const pivot = form === "excess" ? f(reduced + right) : f(diagonal - f(left * ratio));
    if (!(pivot > 0)) throw new InputError(`Pivot ${i} is ${pivot}; give a larger excess or more digits.`);
    ratios[i] = f(right / pivot);
    x[i] = f(f(f(load[i]) + (i > 0 ? f(left * x[i - 1]) : 0)) / pivot);
  }
  for (let i = n - 2; i >= 0; i--) x[i] = f(x[i] + f(ratios[i] * x[i + 1]));
  return x;
}

/**
 * The grounded potential of the convention "figures" at U0 = 0 by an elimination of one's choice.
 *
 * porosity (cells); flux in A/m2; reactionFactor multiplies the reaction rate. Returns phi in V (cells). Throws
 * InputError as eliminate does.
 */
export function potentialByElimination(
  form: EliminationForm,
  precision: Precision,
  porosity: Float64Array,
  flux: number,
  reactionFactor = 1,
): Float64Array {
  const { cells, centres, spacing } = uniformGrid(porosity.length, ELECTRODE.length);
  const { conductivity, bruggeman, specificSurface, reactionRate, solidPotentialSlope } = ELECTRODE;
  const links = new Float64Array(cells - 1);
  linkConductances(
    porosity.map((value) => conductivity * power(value, bruggeman)),
    spacing,
    links,
  );
  const excess = porosity.map(
    (value) => specificSurface * (1 - value) * reactionFactor * reactionRate * spacing,
  );
  const load = excess.map((value, i) => value * solidPotentialSlope * centres[i]);
  load[cells - 1] += flux;
  const phi = eliminate(form, precision, links, excess, load);
  ground(phi);
  return phi;
}

/** What the reaction adds to the diagonal of the matrix, relative to the conductance of a link, at one porosity. */
export function reactionShare(porosity: number, cells: number, reactionFactor = 1): number {
  const { conductivity, bruggeman, specificSurface, reactionRate, length } = ELECTRODE;
  const reaction = specificSurface * (1 - porosity) * reactionFactor * reactionRate;
  return (reaction * (length / cells) ** 2) / (conductivity * Math.pow(porosity, bruggeman));
}

/**
 * Root mean square over porosities of the error of phi in the middle cell, in V, against "excess" in float64; NaN where
 * round-off leaves a pivot that is not positive. porosities: (rows, cells).
 */
export function eliminationError(
  form: EliminationForm,
  precision: Precision,
  porosities: Float64Array,
  cells: number,
  { flux = 25, reactionFactor = 1 } = {},
): number {
  const rows = porosities.length / cells;
  const middle = Math.floor(cells / 2);
  let square = 0;
  for (let row = 0; row < rows; row++) {
    const porosity = porosities.subarray(row * cells, (row + 1) * cells);
    const at = (...how: [EliminationForm, Precision]) =>
      potentialByElimination(...how, porosity, flux, reactionFactor)[middle];
    try {
      square += (at(form, precision) - at("excess", "float64")) ** 2;
    } catch (error) {
      if (error instanceof InputError) return NaN;
      throw error;
    }
  }
  return Math.sqrt(square / rows);
}
