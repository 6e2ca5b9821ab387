import { inFloorDeviations, type MetricRow } from "./metricList";
import { colour, type Figure, panels, rounded, type Trace } from "../../../lib/figures/figure";
import type { Table } from "../../../lib/figures/show";

/** Colour and symbol of those that are compared; the model is always SGM's. */
const STYLES: readonly (readonly [string, string])[] = [
  [colour.sgm, "diamond"],
  [colour.third, "square"],
  [colour.fourth, "triangle-up"],
];
/** Powers of ten on the axis, which is linear up to about 1. */
const TICKS = [-100, -30, -10, -3, -1, 0, 1, 3, 10, 30, 100, 300];

/** Signed logarithmic scale that is linear around 0: asinh. */
const squeezed = (deviations: number) => Math.asinh(deviations);

/**
 * Every metric as a row: grey dots the truth against itself, coloured ones the candidates, all in standard deviations
 * of the grey ones from their mean. Within the shaded strip of two a candidate cannot be told from the truth.
 */
export function metricsFigure(rows: readonly MetricRow[]): Figure {
  const heights = rows.map((_, k) => rows.length - 1 - k);
  const place = (value: number, { floors }: MetricRow) => inFloorDeviations(value, floors);
  const trace = (name: string, values: number[], y: number[], real: number[], marker: Trace): Trace => ({
    type: "scatter",
    mode: "markers",
    name,
    x: rounded(values.map(squeezed)),
    y,
    customdata: rounded(real, 4),
    text: y.map((height) => rows[rows.length - 1 - height].name),
    hovertemplate: `%{text}<br>${name}: %{customdata}<extra></extra>`,
    marker,
  });
  const floors = rows.flatMap((row, k) => row.floors.map((value) => ({ value, row, y: heights[k] })));
  const names = Object.keys(rows[0].values);
  const traces = [
    trace(
      "PDE against PDE",
      floors.map(({ value, row }) => place(value, row)),
      floors.map(({ y }) => y),
      floors.map(({ value }) => value),
      { color: colour.pde, size: 6, opacity: 0.55 },
    ),
    ...names.map((name, i) => {
      const [color, symbol] = STYLES[i % STYLES.length];
      const values = rows.map((row) => row.values[name]);
      const deviations = values.map((value, k) => place(value, rows[k]));
      return trace(name, deviations, heights, values, { color, symbol, size: 10 });
    }),
  ];
  const x = "standard deviations of the floor from its mean (asinh scale)";
  const size = { height: 170 + 23 * rows.length, width: 760, text: "Every metric beside its floor" };
  // A shape has no entry in the legend: a point outside the picture stands for it.
  const inLegend: Trace = {
    type: "scatter",
    mode: "markers",
    name: "strip: within two of them",
    x: [null],
    y: [null],
    marker: { color: "#dcdcdc", symbol: "square", size: 14 },
  };
  const figure = panels([{ x, y: "metric", traces: [...traces, inLegend] }], size);
  const { xaxis, yaxis } = figure.layout as { [axis: string]: object };
  const strip = { type: "rect", xref: "x", yref: "paper", x0: squeezed(-2), x1: squeezed(2), y0: 0, y1: 1 };
  const layout = {
    ...figure.layout,
    xaxis: {
      ...xaxis,
      tickvals: rounded(TICKS.map(squeezed)),
      ticktext: TICKS.map((tick) => `${tick}`.replace("-", "−")),
    },
    yaxis: {
      ...yaxis,
      title: undefined,
      tickvals: heights,
      ticktext: rows.map(({ name }) => name),
      automargin: true,
    },
    shapes: [{ ...strip, fillcolor: "#e8e8e8", line: { width: 0 }, layer: "below" }],
    margin: { l: 210, r: 20, t: 20, b: 95 },
  };
  return { ...figure, layout };
}

/** The same numbers as a table: the floor's mean and standard deviation, then the candidates. */
export function metricsTable(rows: readonly MetricRow[]): Table {
  const names = Object.keys(rows[0].values);
  const shown = (value: number) => value.toPrecision(3);
  return {
    index: rows.map(({ name }) => name),
    columns: ["PDE against PDE", ...names],
    values: rows.map(({ floors, values }) => {
      const mean = floors.reduce((sum, value) => sum + value / floors.length, 0);
      const std = 1 / inFloorDeviations(mean + 1, floors);
      return [`${shown(mean)} ± ${std.toPrecision(2)}`, ...names.map((name) => shown(values[name]))];
    }),
  };
}
