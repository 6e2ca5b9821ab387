/** How fast the concentration comes to rest, and where it stands on its way. */
import { power } from "../backend/power";
import { DiffusionSolver, type RightEnd, uniformGrid } from "../finiteVolumes";
import { ELECTRODE, PorousElectrode } from "../electrode";
import { finiteInRange } from "../backend/errors";

/** A time, in s, after which the slowest mode (some 230 s) has died out to below round-off. */
const FOREVER = 1e5;

/**
 * Concentration in mol/m3 (cells) of the convention "figures" a time in s after it was 1000 mol/m3 everywhere, by
 * implicit Euler; Infinity: the steady state. porosity (cells), U0 in V, F_right in A/m2, timeStep in s.
 * Throws InputError.
 */
export function concentrationAt(
  seconds: number,
  porosity: Float64Array,
  conditions: { readonly equilibriumPotential: number; readonly flux: number },
  timeStep = ELECTRODE.timeStep,
): Float64Array {
  finiteInRange("The time step", timeStep, 1e-6, 1e6, "s");
  const end = seconds === Infinity ? FOREVER : finiteInRange("The time", seconds, timeStep, 1e9, "s");
  const timeSteps = Math.round(end / timeStep);
  const electrode = new PorousElectrode("figures", { ...ELECTRODE, timeStep, timeSteps });
  const [c, phi] = [new Float64Array(porosity.length), new Float64Array(porosity.length)];
  electrode.setPorosity(porosity).solve(conditions.equilibriumPotential, conditions.flux, c, phi);
  return c;
}

/**
 * Time in s in which the slowest mode of the concentration decays by a factor e, for one porosity (cells).
 *
 * The largest eigenvalue of K^-1 w, of the operator K and the capacities w (see DiffusionSolver), by power iteration:
 * the next mode decays about nine times as fast, so that 40 iterations leave no error to see.
 */
export function decayTime(porosity: Float64Array, rightEnd: RightEnd = "last cell"): number {
  const solver = new DiffusionSolver(uniformGrid(porosity.length, ELECTRODE.length), rightEnd);
  solver.factor(porosity.map((value) => ELECTRODE.diffusivity * power(value, ELECTRODE.bruggeman)));
  let mode = new Float64Array(porosity.length).fill(1);
  let time = NaN;
  for (let k = 0; k < 40; k++) {
    const next = new Float64Array(porosity.length);
    solver.solve(
      mode.map((value, i) => value * porosity[i]),
      next,
    );
    time = next.reduce((most, value) => Math.max(most, value), 0);
    mode = next.map((value) => value / time);
  }
  return time;
}
