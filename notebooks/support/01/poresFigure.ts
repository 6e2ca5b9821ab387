/** What a porosity stands for, drawn: solid grains and the electrolyte between them. */
import type { Random } from "../../../lib/random";
import { colour, type Figure, line, panels, rounded, withHover } from "../../../lib/figures/figure";

/** Height of the drawn section, as a share of its width. */
const ASPECT = 0.3;
/** Width of the smoothing that makes pores of white noise, in cells. */
const SMOOTHING = 2;
const [PORE, GRAIN] = ["#b5dcf4", "#8c8c8c"];

/**
 * A drawn section through an electrode whose local share of electrolyte is a given porosity, above that porosity.
 *
 * porosity (cells), positions in m (cells). Pores are some cells wide. An illustration: the equations know the porosity
 * alone.
 */
export function poresFigure(porosity: Float64Array, positions: Float64Array, random: Random): Figure {
  // A point beyond each edge, where the panel cuts, so that pores reach up to it.
  const eps = Float64Array.of(porosity[0], ...porosity, porosity[porosity.length - 1]);
  const width = eps.length;
  const height = Math.round(ASPECT * porosity.length) + 2;
  const texture = smoothNoise(width, height, random);
  // The share of smaller values is a point's rank: pore where it is below the porosity.
  const sorted = texture.slice().sort();
  const thresholds = eps.map((value) => sorted[Math.round(value * (sorted.length - 1))]);
  const z = Array.from({ length: height }, (_, j) =>
    rounded(
      thresholds.map((threshold, i) => threshold - texture[j * width + i]),
      3,
    ),
  );
  const cell = (positions[1] - positions[0]) * 1e6;
  const top = (height - 2) * cell;
  const section = {
    type: "contour",
    z,
    x0: -cell / 2,
    dx: cell,
    y0: -cell / 2,
    dy: cell,
    contours: { type: "constraint", operation: "<", value: 0 }, // what is filled is what the constraint excludes
    fillcolor: PORE,
    line: { color: "#5b5b5b", width: 1 },
    showlegend: false,
    hoverinfo: "skip",
  };
  const x = positions.map((value) => value * 1e6);
  const xRange = [0, x[0] + x[x.length - 1]] as const;
  const list = [
    { title: "electrolyte (blue) between solid grains (grey)", x: "x (µm)", y: "height (µm)", xRange },
    { title: "share of the electrolyte: the porosity", x: "x (µm)", y: "porosity ε", xRange },
  ];
  const traces = [[section], [line(x, porosity, { line: { color: colour.pde, width: 2.5 } })]];
  const figure = panels(
    list.map((panel, k) => ({
      ...panel,
      yRange: k === 0 ? ([0, top] as const) : ([0.2, 0.5] as const),
      traces: traces[k],
    })),
    { height: 560, columns: 1, legend: false, text: "A section through pores, and its porosity" },
  );
  const ground = { type: "rect", x0: 0, x1: xRange[1], y0: 0, y1: top, xref: "x", yref: "y" };
  const shapes = [{ ...ground, fillcolor: GRAIN, line: { width: 0 }, layer: "below" }];
  const bare = Object.fromEntries(
    ["xaxis", "yaxis"].map((name) => [name, { ...(figure.layout[name] as object), showgrid: false }]),
  );
  return withHover({ ...figure, layout: { ...figure.layout, ...bare, shapes } });
}

/** White noise smoothed by a Gaussian along both directions (height x width). */
function smoothNoise(width: number, height: number, random: Random): Float64Array {
  const reach = 3 * SMOOTHING;
  const bump = Array.from({ length: 2 * reach + 1 }, (_, k) => Math.exp(-(((k - reach) / SMOOTHING) ** 2)));
  const [wide, high] = [width + 2 * reach, height + 2 * reach]; // so that edges are like the rest
  const noise = random.fillNormal(new Float64Array(wide * high));
  const rows = new Float64Array(width * high);
  for (let j = 0; j < high; j++)
    for (let i = 0; i < width; i++)
      for (let k = 0; k < bump.length; k++) rows[j * width + i] += bump[k] * noise[j * wide + i + k];
  const result = new Float64Array(width * height);
  for (let j = 0; j < height; j++)
    for (let i = 0; i < width; i++)
      for (let k = 0; k < bump.length; k++) result[j * width + i] += bump[k] * rows[(j + k) * width + i];
  return result;
}
