import { ConcentrationSolver, type RightEnd, uniformGrid } from "../../../lib/finiteVolumes";
import { ELECTRODE, PorousElectrode } from "../../../lib/electrode";

/**
 * Time in s in which the slowest mode of the concentration decays by a factor e, for one porosity (cells).
 *
 * The largest eigenvalue of K^-1 w, of the operator K and the capacities w (see ConcentrationSolver), by power iteration:
 * the next mode decays about nine times as fast, so that 40 iterations leave no error to see.
 */
export function slowestDecayTime(porosity: Float64Array, rightEnd: RightEnd): number {
  const solver = new ConcentrationSolver(uniformGrid(porosity.length, ELECTRODE.length), rightEnd);
  solver.factor(porosity.map((value) => ELECTRODE.diffusivity * Math.pow(value, ELECTRODE.bruggeman)));
  let mode = new Float64Array(porosity.length).fill(1);
  let time = NaN;
  for (let k = 0; k < 40; k++) {
    const next = new Float64Array(porosity.length);
    solver.steady(
      mode.map((value, i) => value * porosity[i]),
      next,
    );
    time = next.reduce((most, value) => Math.max(most, value), 0);
    mode = next.map((value) => value / time);
  }
  return time;
}

/** c in mol/m3 (cells) of the convention "figures" after so many seconds of its transient, at U0 = 0; flux in A/m2. */
export function concentrationAfter(seconds: number, porosity: Float64Array, flux: number): Float64Array {
  const timeSteps = Math.round(seconds / ELECTRODE.timeStep);
  const electrode = new PorousElectrode("figures", { ...ELECTRODE, timeSteps }).setPorosity(porosity);
  const [c, phi] = [new Float64Array(porosity.length), new Float64Array(porosity.length)];
  electrode.solve(0, flux, c, phi);
  return c;
}
