import { power } from "../../../lib/backend/power";
import { type Convention, ELECTRODE, PorousElectrode } from "../../../lib/electrode";
import { DiffusionSolver, linkConductances, uniformGrid } from "../../../lib/finiteVolumes";
import { solveElectrode } from "./solve";

/** What flows through the faces and what the reaction has made up to them. */
export interface ChargeBalance {
  /** right faces of the cells, m (cells) */
  readonly faces: Float64Array;
  /** ionic current -k phi' through them, A/m2 (cells) */
  readonly current: Float64Array;
  /** integral of the reaction current a j from 0 to the face, A/m2 (cells) */
  readonly made: Float64Array;
}

/**
 * Charge balance of the potential that sees itself in the reaction (U0 drops out of it): at every face the current is
 * the integral of the reaction left of it. porosity (cells), flux F_right in A/m2; the convention sets its sign.
 */
export function chargeBalance(porosity: Float64Array, flux: number, convention: Convention): ChargeBalance {
  const { effectiveConductivity, reaction, grid } = new PorousElectrode(convention).setPorosity(porosity);
  const { cells, centres, spacing } = grid;
  const solver = new DiffusionSolver(grid, "flux");
  solver.factor(effectiveConductivity, reaction);
  const solid = centres.map((x) => ELECTRODE.solidPotentialSlope * x);
  const rightFlux = convention === "figures" ? flux : -flux; // k phi'(L)
  const phi = new Float64Array(cells);
  solver.solve(
    reaction.map((value, i) => value * solid[i]),
    phi,
    rightFlux,
  );
  const links = new Float64Array(cells - 1);
  linkConductances(effectiveConductivity, spacing, links);
  let sum = 0;
  return {
    faces: centres.map((x) => x + spacing / 2),
    current: phi.map((value, i) => (i < cells - 1 ? -links[i] * (phi[i + 1] - value) : -rightFlux)),
    made: phi.map((value, i) => (sum += reaction[i] * (solid[i] - value) * spacing)),
  };
}

/**
 * Salt balance of the steady concentration (convention "text"): what the reaction makes and what leaves through the
 * face x = L, both in mol/(m2 s). porosity (cells), flux F_right in A/m2.
 */
export function saltBalance(
  porosity: Float64Array,
  flux: number,
): { readonly made: number; readonly left: number } {
  const { spacing } = uniformGrid(porosity.length, ELECTRODE.length);
  const last = porosity.length - 1;
  const { c } = solveElectrode(porosity, { equilibriumPotential: 0, flux }, "text");
  const diffusivity = ELECTRODE.diffusivity * power(porosity[last], ELECTRODE.bruggeman);
  return {
    made: ((1 - ELECTRODE.transferenceNumber) / ELECTRODE.faraday) * flux,
    left: ((2 * diffusivity) / spacing) * (c[last] - ELECTRODE.rightConcentration),
  };
}
