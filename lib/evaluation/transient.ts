import { finiteInRange } from "../errors";
import { ELECTRODE, PorousElectrode } from "../electrode";

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

/** Decay time in s of the slowest mode: from the differences to the steady state at x = 0, 1000 and 1500 s on. */
export function decayTime(porosity: Float64Array): number {
  const conditions = { equilibriumPotential: 0, flux: 0 };
  const steady = concentrationAt(Infinity, porosity, conditions)[0];
  const [early, late] = [1000, 1500].map((t) => concentrationAt(t, porosity, conditions)[0] - steady);
  return 500 / Math.log(early / late);
}
