import { KrylovEuler } from "../../../lib/backend/krylov";
import { power } from "../../../lib/backend/power";
import { DiffusionSolver, uniformGrid } from "../../../lib/finiteVolumes";
import { ELECTRODE } from "../../../lib/electrode";

/**
 * The concentration of the convention "figures" whose reaction sees a given potential.
 *
 * porosity (cells), phi in V (cells), equilibriumPotential in V; returns c in mol/m3 (cells). With the potential that
 * PorousElectrode solves for it is that solver's c; with another one it tells how far c depends on it.
 */
export function concentrationAtPotential(
  porosity: Float64Array,
  phi: Float64Array,
  equilibriumPotential: number,
): Float64Array {
  const { diffusivity, bruggeman, transferenceNumber, faraday, specificSurface, reactionRate } = ELECTRODE;
  const { solidPotentialSlope, timeStep, timeSteps, rightConcentration, length } = ELECTRODE;
  const grid = uniformGrid(porosity.length, length);
  const solver = new DiffusionSolver(grid, "last cell");
  solver.factor(porosity.map((value) => diffusivity * power(value, bruggeman)));
  const perCharge = (1 - transferenceNumber) / faraday;
  const source = porosity.map((value, i) => {
    const driving = solidPotentialSlope * grid.centres[i] - phi[i] - equilibriumPotential;
    return perCharge * specificSurface * (1 - value) * reactionRate * driving;
  });
  const rise = new Float64Array(grid.cells);
  new KrylovEuler(solver).euler(porosity, source, timeStep, timeSteps, rise);
  return rise.map((value) => value + rightConcentration);
}

/** Total reaction current, the integral of a k_rn (phi_s - phi - U0) over the electrode, in A/m2; arguments as above. */
export function totalReaction(
  porosity: Float64Array,
  phi: Float64Array,
  equilibriumPotential: number,
): number {
  const { specificSurface, reactionRate, solidPotentialSlope, length } = ELECTRODE;
  const { centres, spacing } = uniformGrid(porosity.length, length);
  return porosity.reduce((sum, value, i) => {
    const driving = solidPotentialSlope * centres[i] - phi[i] - equilibriumPotential;
    return sum + specificSurface * (1 - value) * reactionRate * driving * spacing;
  }, 0);
}
