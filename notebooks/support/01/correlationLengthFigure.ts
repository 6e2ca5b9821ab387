/** The interactive figure of the correlation length: porosity, conductivity, concentration and potential together. */
import { type Convention, ELECTRODE, PorousElectrode } from "../../../lib/electrode";
import { ScaledProcess } from "../../../lib/evaluation/scaledProcess";
import {
  colour,
  type Figure,
  line,
  panels,
  rounded,
  type Trace,
  withHover,
} from "../../../lib/figures/figure";
import { sharedRanges, withSlider } from "../../../lib/figures/slider";
import { squashToPorosity } from "../../../lib/gaussianProcess";
import { Random } from "../../../lib/random";

const SHADES = [colour.pde, colour.fifth, colour.third, colour.fourth];

/**
 * A slider over correlation lengths (m): the same random numbers at each, so that hills widen about the middle.
 *
 * electrodes: how many are drawn, one colour each. conditions: U0 in V, F_right in A/m2.
 */
export function correlationLengthFigure(
  lengths: readonly number[],
  conditions: { readonly equilibriumPotential: number; readonly flux: number },
  options: { electrodes?: number; seed?: number; convention?: Convention } = {},
): Figure {
  const { electrodes = 3, seed = 1, convention = "figures" } = options;
  const solver = new PorousElectrode(convention);
  const { centres, length } = solver.grid;
  // Every second cell and the last: curves are smooth, and positions of the slider many.
  const some = (values: Float64Array) => values.filter((_, i) => i % 2 === 0 || i === values.length - 1);
  const x = some(centres.map((value) => value * 1e6));
  const processes = Array.from(
    { length: electrodes },
    (_, k) => new ScaledProcess(new Random(seed, k), length / 2 / Math.min(...lengths)),
  );
  const positions = lengths.map((correlationLength) => {
    const traces: Trace[][] = [[], [], [], []];
    processes.forEach((process, k) => {
      const porosity = squashToPorosity(process.at(centres, correlationLength, length / 2));
      const [c, phi] = [new Float64Array(centres.length), new Float64Array(centres.length)];
      solver.setPorosity(porosity).solve(conditions.equilibriumPotential, conditions.flux, c, phi);
      const curves = [porosity, solver.effectiveConductivity, c, phi.map((value) => 1000 * value)];
      const style = { line: { color: SHADES[k % SHADES.length], width: 2.5 }, showlegend: false };
      // Six digits of c, whose variation is a thousandth of it; four of the others, for a small file.
      curves.forEach((curve, p) => traces[p].push(line(x, rounded(some(curve), p === 2 ? 6 : 4), style)));
    });
    const list = [
      { title: "porosity", y: "ε (1)" },
      { title: "effective conductivity", y: "k (S/m)" },
      { title: "concentration", y: "c (mol/m³)" },
      { title: "potential", y: "φ (mV)" },
    ].map((panel, p) => ({ ...panel, x: "x (µm)", traces: traces[p] }));
    const figure = panels(list, { columns: 2, height: 640, legend: false });
    return { label: `${Number((correlationLength * 1e6).toPrecision(2))} µm`, figure: withHover(figure) };
  });
  return withSlider(sharedRanges(positions), {
    prefix: "correlation length l = ",
    active: Math.floor(lengths.length / 2),
    text: `Porosity, conductivity, concentration and potential of ${electrodes} electrodes of ${ELECTRODE.cells} cells`,
  });
}
