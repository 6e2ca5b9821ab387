/** Figures that show how the solver works and whether it can be trusted. */
import {
  colour,
  type Figure,
  line,
  panels,
  points,
  type Trace,
  withHover,
} from "../../../lib/figures/figure";
import { sharedRanges, withSlider } from "../../../lib/figures/slider";
import type { ChargeBalance } from "./balance";
import type { ElectrodeFields } from "./solve";
import { arithmeticMean, harmonicMean, solveTwoLayers, TWO_LAYERS, twoLayersExact } from "./twoLayers";

const dashed = { dash: "dash", width: 2 };

/** Cells, centres, faces and the links between them, as used in the balance of the middle cell. */
export function cellsFigure(): Figure {
  const [cells, middle] = [5, 2];
  const box = { type: "rect", xref: "x", yref: "y", y0: 0, y1: 1, line: { color: "#444", width: 1.5 } };
  const shapes = Array.from({ length: cells }, (_, i) => ({
    ...box,
    x0: i,
    x1: i + 1,
    fillcolor: i === middle ? "#dcecf7" : "#f6f6f6",
    layer: "below",
  }));
  const centres = Array.from({ length: cells }, (_, i) => i + 0.5);
  const name = (i: number) => (i === middle ? "i" : `i${i < middle ? "−" : "+"}${Math.abs(i - middle)}`);
  const label = (x: number, y: number, text: string) => ({
    x,
    y,
    text,
    showarrow: false,
    font: { size: 15 },
  });
  const flux = (x: number, text: string) => [
    { x: x + 0.3, y: 0.72, ax: x - 0.3, ay: 0.72, xref: "x", yref: "y", axref: "x", ayref: "y", text: "", arrowwidth: 2.5, arrowhead: 2, arrowcolor: colour.fifth }, // prettier-ignore
    label(x, 1.12, text),
  ];
  // Half of the arrow that measures a cell, below it.
  const width = (x: number, ax: number) => ({ x, y: -0.12, ax, ay: -0.12, xref: "x", yref: "y", axref: "x", ayref: "y", text: "", arrowwidth: 1.5, arrowhead: 2, arrowcolor: "#444" }); // prettier-ignore
  const annotations = [
    ...centres.map((x, i) => label(x, 0.27, `φ<sub>${name(i)}</sub>`)),
    ...flux(middle, "flux through face i−½"),
    ...flux(middle + 1, "flux through face i+½"),
    label(middle + 0.5, 0.9, "q<sub>i</sub> Δx"),
    ...centres.map((x, i) => label(x, 0.6, `k<sub>${name(i)}</sub>`)),
    ...[1, -1].map((way) => width(middle + 0.5 + 0.5 * way, middle + 0.5)),
    label(middle + 0.5, -0.26, "Δx"),
  ];
  const traces: Trace[] = [
    line(centres, centres.map(() => 0.45), { line: { color: colour.grey, width: 1.5, dash: "dot" } }),
    points(centres, centres.map(() => 0.45), { marker: { size: 11, color: colour.pde } }),
  ]; // prettier-ignore
  const figure = panels([{ x: "", y: "", xRange: [-0.05, cells + 0.05], yRange: [-0.38, 1.25], traces }], {
    height: 270,
    legend: false,
    text: "Five cells, and the balance of the middle one",
  });
  const axis = (key: string) => ({ ...(figure.layout[key] as object), visible: false });
  return {
    ...figure,
    data: figure.data.map((trace) => ({ ...trace, hoverinfo: "skip" })),
    layout: {
      ...figure.layout,
      xaxis: axis("xaxis"),
      yaxis: axis("yaxis"),
      margin: { l: 20, r: 20, t: 15, b: 15 },
      shapes,
      annotations,
    },
  };
}

/** Potential of two layers: exact, and with two ways to average at faces, with a slider over numbers of cells. */
export function twoLayersFigure(sizes: readonly number[]): Figure {
  const { length } = TWO_LAYERS;
  const x = Float64Array.of(0, length / 2, length);
  const scaled = (values: Float64Array, factor: number) => values.map((value) => factor * value);
  const exact = line(scaled(x, 1e6), scaled(twoLayersExact(x), 1000), {
    name: "exact",
    line: { color: colour.grey, width: 2.5 },
  });
  const ways = [
    { name: "harmonic mean", mean: harmonicMean, marker: { size: 8, color: colour.pde } },
    {
      name: "arithmetic mean",
      mean: arithmeticMean,
      marker: { size: 8, color: colour.fifth, symbol: "diamond" },
    },
  ];
  const positions = sizes.map((cells) => {
    const solved = ways.map(({ mean }) => solveTwoLayers(cells, mean));
    const traces = solved.map(({ centres, phi }, k) =>
      points(scaled(centres, 1e6), scaled(phi, 1000), { name: ways[k].name, marker: ways[k].marker }),
    );
    const errors = solved.map(({ centres, phi }, k) => {
      const right = twoLayersExact(centres);
      return points(
        scaled(centres, 1e6),
        phi.map((value, i) => 1000 * (value - right[i])),
        { name: ways[k].name, marker: ways[k].marker },
      );
    });
    const list = [
      { title: "potential", x: "x (µm)", y: "φ (mV)", traces: [exact, ...traces] },
      { title: "error", x: "x (µm)", y: "error of φ (mV)", traces: errors },
    ];
    return { label: `${cells}`, figure: withHover(panels(list, { height: 400 })) };
  });
  const text = "Two layers: exact potential, harmonic and arithmetic means";
  return withSlider(sharedRanges(positions), { prefix: "cells: ", active: 1, text });
}

/** Errors against the number of cells, both logarithmic, with lines of slopes -1 and -2; one panel for each list. */
export function convergenceFigure(
  list: readonly {
    readonly title: string;
    readonly y: string;
    readonly curves: readonly {
      readonly name: string;
      readonly errors: readonly number[];
      readonly hex: string;
    }[];
  }[],
  sizes: readonly number[],
): Figure {
  const reference = (order: number, start: number): Trace =>
    line(
      [sizes[0], sizes[sizes.length - 1]],
      [start, start * (sizes[0] / sizes[sizes.length - 1]) ** order],
      { name: `order ${order}`, line: { color: colour.grey, ...dashed, dash: order === 1 ? "dot" : "dash" } },
    );
  const chosen = list.map(({ title, y, curves }) => {
    const first = curves.map(({ errors }) => errors[0]);
    const traces = curves.map(({ name, errors, hex }) =>
      line(sizes, errors, { name, mode: "lines+markers", line: { color: hex, width: 2.5 }, marker: { size: 7 } }),
    ); // prettier-ignore
    const slopes = [reference(1, 2 * Math.max(...first)), reference(2, 0.5 * Math.min(...first))];
    return { title, x: "cells N", xType: "log" as const, xTicks: sizes, y, yType: "log" as const, traces: [...traces, ...slopes] };
  }); // prettier-ignore
  return withHover(panels(chosen, { height: 440, text: "Error against the number of cells" }));
}

/** Current through every face, the reaction left of it, and the difference of the two. */
export function balanceFigure({ faces, current, made }: ChargeBalance): Figure {
  const x = faces.map((value) => value * 1e6);
  const difference = current.map((value, i) => 1e9 * (value - made[i]));
  const some = (values: Float64Array) => values.filter((_, i) => i % 5 === 4); // markers that do not touch
  const list = [
    {
      title: "current",
      x: "x (µm)",
      y: "current (A/m²)",
      traces: [
        line(x, current, { name: "−kφ′ through the face", line: { color: colour.pde, width: 2.5 } }),
        points(some(x), some(made), {
          name: "reaction left of it",
          marker: { size: 8, color: colour.fifth },
        }),
      ],
    },
    {
      title: "difference",
      x: "x (µm)",
      y: "difference (10⁻⁹ A/m²)",
      traces: [points(x, difference, { showlegend: false, marker: { size: 5, color: colour.grey } })],
    },
  ];
  return withHover(panels(list, { height: 410, text: "Current and reaction" }));
}

/** The three responses of one porosity times their conditions, their sum, and a direct solution as points. */
export function affineFigure(
  positions: Float64Array,
  parts: readonly { readonly name: string; readonly fields: ElectrodeFields }[],
  direct: ElectrodeFields,
): Figure {
  const x = positions.map((value) => value * 1e6);
  const shades = [colour.grey, colour.third, colour.fifth];
  const list = (["c", "phi"] as const).map((key) => {
    const factor = key === "phi" ? 1000 : 1;
    // The constant 1000 mol/m3 would hide how c varies.
    const base = key === "c" ? direct.c[direct.c.length - 1] : 0;
    const shown = (values: Float64Array, offset: number) => values.map((value) => factor * (value - offset));
    const sum = direct[key].map((_, i) => parts.reduce((all, { fields }) => all + fields[key][i], 0));
    const curves = parts.map(({ name, fields }, k) =>
      // Wide below narrow: where curves lie on one another, both are seen.
      line(x, shown(fields[key], k === 0 ? base : 0), {
        name,
        line: { color: shades[k], width: [7, 3.5, 8][k] },
      }),
    );
    return {
      title: key === "c" ? "concentration" : "potential",
      x: "x (µm)",
      y: key === "c" ? "c − 1000 (mol/m³)" : "φ (mV)",
      traces: [
        ...curves,
        line(x, shown(sum, base), { name: "sum", line: { color: colour.pde, width: 2.5 } }),
        points(
          x.filter((_, i) => i % 6 === 2),
          shown(direct[key], base).filter((_, i) => i % 6 === 2),
          { name: "solved directly", marker: { size: 8, color: colour.pde, symbol: "circle-open" } },
        ),
      ],
    };
  });
  return withHover(panels(list, { height: 430, text: "Three responses and their sum" }));
}

/** Concentrations at some times and in the steady state; and how the difference at x = 0 dies out. */
export function transientFigure(
  positions: Float64Array,
  profiles: readonly { readonly name: string; readonly c: Float64Array }[],
  decay: { readonly seconds: readonly number[]; readonly difference: readonly number[] },
): Figure {
  const x = positions.map((value) => value * 1e6);
  const shades = [colour.fifth, "#56B4E9", colour.third, colour.fourth, colour.grey];
  const curves = profiles.map(({ name, c }, k) => {
    const last = k === profiles.length - 1;
    const hex = last ? colour.pde : shades[k % shades.length];
    return line(x, c, { name, line: { color: hex, width: last ? 3 : 2, ...(last ? { dash: "dash" } : {}) } });
  });
  const list = [
    { title: "concentration", x: "x (µm)", y: "c (mol/m³)", traces: curves },
    {
      title: "way to the steady state",
      x: "time (s)",
      y: "|c − steady c| at x = 0 (mol/m³)",
      yType: "log" as const,
      traces: [
        line(decay.seconds, decay.difference, {
          mode: "lines+markers",
          showlegend: false,
          line: { color: colour.pde, width: 2.5 },
        }),
      ],
    },
  ];
  return withHover(panels(list, { height: 430, text: "Time stepping against the steady state" }));
}
