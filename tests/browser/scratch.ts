/** Cells for what the tests need and no notebook of the course is sure to have. */

/** A figure with a slider over correlation lengths. */
export const SLIDER = `
import { simulateAt } from "./lib/presets/simulate";
import { porousElectrode } from "./lib/presets/electrodeProblem";
import { solutionsFigure } from "./lib/figures/fieldFigures";
import { show } from "./lib/figures/show";
import { withSlider } from "./lib/figures/slider";

const electrode = porousElectrode("text");
const positions = [2, 10, 20].map((length) => ({
  label: \`\${length} µm\`,
  figure: solutionsFigure(simulateAt(electrode, [length * 1e-6, 0, 25], 4, 1), 4),
}));
await show(withSlider(positions, { prefix: "correlation length " }));
`.trim();

/** A map of three points, each of which names a frame of the curve beside it. */
export const HOVER = `
import { panels } from "./lib/figures/figure";
import { show } from "./lib/figures/show";

const ways = [1, 2, 3];
const figure = panels([
  { x: "x", y: "y", traces: [{ type: "scatter", mode: "markers", x: ways, y: ways, customdata: ["1", "2", "3"] }] },
  { x: "x", y: "y", traces: [{ type: "scatter", mode: "lines", x: ways, y: [0, 0, 0] }] },
]);
const frames = ways.map((way) => ({ name: String(way), data: [{ y: [0, way, 0] }], traces: [1] }));
await show({ ...figure, layout: { ...figure.layout, meta: { hoverFrames: true } }, frames });
`.trim();

/** Imports that reach the colours of figures over another module only, and a figure in them. */
export const DRAWN: readonly string[] = [
  `
import { simulateAt } from "./lib/presets/simulate";
import { porousElectrode } from "./lib/presets/electrodeProblem";
import { solutionsFigure } from "./lib/figures/fieldFigures";
import { show } from "./lib/figures/show";
`.trim(),
  `await show(solutionsFigure(simulateAt(porousElectrode("text"), [1e-5, 0, 25], 4, 1), 4));`,
];
