/** A map of held-out conditions: errors as colours, and both fields at some of them on hover and by a slider. */
import type { Problem } from "../../../lib/problem";
import type { FieldBand } from "../../../lib/comparison";
import {
  band,
  colour,
  type Figure,
  type Json,
  line,
  panels,
  rounded,
  type Trace,
} from "../../../lib/figures/figure";
import { fieldAxis } from "../../../lib/figures/fieldFigures";
import { withSlider } from "../../../lib/figures/slider";
import { sparklines } from "./sparkline";

/** One condition of the map. */
export interface MapPoint {
  /** l in m, U0 in V, F in A/m2. */
  readonly conditions: readonly number[];
  readonly pooled: number;
  readonly meanError: number;
  readonly stdRatio: number;
  /** Bands of the fields, where some were drawn. */
  readonly bands?: { readonly pde: readonly FieldBand[]; readonly sgm: readonly FieldBand[] };
}

/** Every how many cells a curve is drawn: a frame should be small. */
const STRIDE = 3;
const SYMBOLS = ["triangle-down", "circle", "triangle-up"];

/**
 * The map over (l, F), coloured by the pooled floor ratio, its markers and a small shift telling U0; below it both
 * fields, PDE and SGM, at the condition that the slider or the pointer chooses.
 *
 * Points with bands have the name of their frame in customdata, and layout.meta says that hovering may show it. Throws
 * an Error when no point has bands.
 */
export function conditionMapFigure(problem: Problem, points: readonly MapPoint[]): Figure {
  const shown = points.filter(({ bands }) => bands);
  if (shown.length === 0) throw new Error("No condition of the map has fields.");
  const worst = shown.reduce((most, point, k) => (point.pooled > shown[most].pooled ? k : most), 0);
  const figures = shown.map((point) => mapAt(problem, points, shown, point));
  const labels = shown.map(({ conditions }) => place(conditions).replace(/<br>/g, ", "));
  const positions = figures.map((figure, k) => ({ label: labels[k], figure }));
  const text = "Floor ratios at held-out conditions, with both fields at some of them";
  const figure = withSlider(positions, { active: worst, text });
  const ranges = figures.map(({ layout }) => {
    const range = (axis: string) => ({ [axis]: { range: (layout[axis] as { range: Json }).range } });
    return { ...range("yaxis2"), ...range("yaxis3") };
  });
  // The labels are long: the slider shows that of its position alone.
  const [slider] = figure.layout["sliders"] as { [key: string]: Json }[];
  const current = { ...(slider["currentvalue"] as object), font: { size: 15, color: "#222" } };
  return {
    ...figure,
    layout: {
      ...figure.layout,
      meta: { hoverFrames: true },
      hoverlabel: { font: { family: "Menlo, Consolas, monospace", size: 12 }, align: "left" },
      sliders: [{ ...slider, ticklen: 5, font: { size: 1, color: "rgba(0,0,0,0)" }, currentvalue: current }],
    },
    frames: figure.frames!.map((frame, k) => ({
      ...frame,
      layout: { ...(frame["layout"] as object), ...ranges[k] },
    })),
  };
}

/** "l = 10 µm, U0 = 0.1 V, F = 25 A/m²" */
function place([l, potential, flux]: readonly number[]): string {
  const short = (value: number) => String(Number(value.toPrecision(3))).replace("-", "−");
  return `l = ${short(1e6 * l)} µm, U₀ = ${short(potential)} V, F = ${short(flux)} A/m²`;
}

function hover({ conditions, pooled, meanError, stdRatio, bands }: MapPoint, problem: Problem): string {
  const numbers = `floor ratio ${pooled.toFixed(2)}, mean error ${meanError.toFixed(3)}, std ratio ${stdRatio.toFixed(3)}`;
  const curves = problem.fields.flatMap(({ symbol }, f) => {
    if (!bands) return [];
    const [mean, std] = (["mean", "std"] as const).map((what) =>
      sparklines([bands.pde[f][what], bands.sgm[f][what]]),
    );
    return [`${symbol} mean PDE ${mean[0]} SGM ${mean[1]}`, `${symbol} std  PDE ${std[0]} SGM ${std[1]}`];
  });
  return [place(conditions), numbers, ...curves].join("<br>");
}

function mapAt(
  problem: Problem,
  all: readonly MapPoint[],
  shown: readonly MapPoint[],
  current: MapPoint,
): Figure {
  const [length, potential] = problem.conditions;
  // Corners differ in U0 alone: a shift by it, a few per cent of the axis at most, keeps them apart.
  const shift = (conditions: readonly number[]) =>
    Math.pow(length.max / length.min, (0.018 * conditions[1]) / potential.max);
  const x = (points: readonly MapPoint[]) =>
    rounded(
      points.map(({ conditions }) => 1e6 * conditions[0] * shift(conditions)),
      4,
    );
  const y = (points: readonly MapPoint[]) =>
    rounded(
      points.map(({ conditions }) => conditions[2]),
      4,
    );
  const third = ({ conditions }: MapPoint) =>
    SYMBOLS[Math.min(2, Math.floor((3 * (conditions[1] - potential.min)) / (potential.max - potential.min)))];
  const map: Trace = {
    mode: "markers",
    name: "held-out conditions",
    showlegend: false,
    x: x(all),
    y: y(all),
    text: all.map((point) => hover(point, problem)),
    customdata: all.map((point) => (point.bands ? String(shown.indexOf(point)) : null)),
    hovertemplate: "%{text}<extra></extra>",
    marker: {
      symbol: all.map(third),
      size: all.map(({ bands }) => (bands ? 13 : 9)),
      color: rounded(
        all.map(({ pooled }) => pooled),
        4,
      ),
      // From a yellow that is seen on white to a dark blue.
      colorscale: [
        [0, "#c8a415"],
        [0.5, "#7c7b78"],
        [1, "#00204d"],
      ],
      cmin: 0.9,
      cmax: Math.max(1.3, ...all.map(({ pooled }) => pooled)),
      line: { color: "#222", width: all.map(({ bands }) => (bands ? 1.2 : 0.4)) },
      colorbar: {
        title: { text: "floor ratio" },
        thickness: 14,
        len: 0.52,
        y: 0.76,
        x: 1.0,
        outlinewidth: 0,
      },
    },
  };
  const ring: Trace = {
    mode: "markers",
    name: "chosen",
    showlegend: false,
    hoverinfo: "skip",
    x: x([current]),
    y: y([current]),
    marker: { symbol: "circle-open", size: 24, color: "#000", line: { width: 2 } },
  };
  const fields = problem.fields.map((field, f) => fieldPanel(problem, field, f, current));
  const mapPanel = {
    x: "correlation length l (µm)",
    y: "flux F (A/m²)",
    xType: "log" as const,
    xRange: [Math.log10(1e6 * length.min) - 0.06, Math.log10(1e6 * length.max) + 0.06] as const,
    yRange: [-4, 54] as const,
    traces: [map, ring],
  };
  const figure = panels([mapPanel, ...fields], { columns: 2, width: 780, height: 660 });
  const { layout } = figure;
  const moved = (axis: string, domain: readonly [number, number], more: { [key: string]: Json } = {}) => ({
    [axis]: { ...(layout[axis] as object), domain, ...more },
  });
  const ticks = [2, 3, 5, 7, 10, 15, 20];
  return {
    ...figure,
    layout: {
      ...layout,
      ...moved("xaxis", [0, 0.98], { tickvals: ticks, ticktext: ticks.map(String) }),
      ...moved("yaxis", [0.53, 1]),
      ...moved("xaxis2", [0, 0.44]),
      ...moved("yaxis2", [0, 0.36]),
      ...moved("xaxis3", [0.57, 1.01]),
      ...moved("yaxis3", [0, 0.36]),
      margin: { l: 70, r: 70, t: 20, b: 95 },
    },
  };
}

function fieldPanel(problem: Problem, field: Problem["fields"][number], f: number, { bands }: MapPoint) {
  const { title, factor } = fieldAxis(field);
  const thin = (values: Float64Array) =>
    values.filter((_, i) => i % STRIDE === 0 || i === values.length - 1).map((value) => factor * value);
  const x = thin(problem.positions).map((value) => (1e6 * value) / factor);
  const sides = [
    { name: "PDE", hex: colour.pde, own: bands!.pde[f] },
    { name: "SGM", hex: colour.sgm, own: bands!.sgm[f], dash: "dash" },
  ];
  const ends = sides.flatMap(({ own }) => [...thin(own.low), ...thin(own.high)]);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const traces = sides.flatMap(({ name, hex, own, dash }): Trace[] => [
    short(band(x, thin(own.low), thin(own.high), hex, `${name} 95 %`)),
    short(
      line(x, thin(own.mean), {
        name: `${name} mean`,
        line: { color: hex, width: 2.5, ...(dash ? { dash } : {}) },
        hovertemplate: `${name} mean<br>x = %{x} µm<br>${title.replace(/ \(/, " = %{y} ").replace(/\)$/, "")}<extra></extra>`,
      }),
    ),
  ]);
  const room = 0.06 * (high - low);
  return { x: "x (µm)", y: title, yRange: rounded([low - room, high + room], 6) as [number, number], traces };
}

/** Five digits suffice for a curve of which two per cent are seen. */
function short(trace: Trace): Trace {
  return { ...trace, x: rounded(trace["x"] as number[], 4), y: rounded(trace["y"] as number[], 6) };
}
