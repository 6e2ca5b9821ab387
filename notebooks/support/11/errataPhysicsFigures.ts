/** Figures of the errata that concern the solver: round-off, the two conventions, the grid. */
import type { DataSet } from "../../../lib/dataSet";
import { columnMean, columnPercentiles, columnStd } from "../../../lib/comparison";
import { type Curve, curvesFigure } from "../../../lib/figures/curves";
import { colour, type Figure } from "../../../lib/figures/figure";
import { fieldAxis, micrometres } from "../../../lib/figures/fieldFigures";

/** The computed truth, what a statement leads to, and further cases, always in these colours. */
export const right = colour.third;
export const printed = colour.fourth;

const CONVENTION_COLOURS: Readonly<Record<string, string>> = { figures: colour.pde, text: colour.third };
const SHADES = [colour.pde, colour.third, colour.grey, colour.fifth, colour.fourth];
const DASHES = ["solid", "dash", "solid", "dot", "dashdot"];

/** Every other cell and the last: fifty points draw a smooth curve, and a notebook stays small. */
const thinned = (curve: Float64Array) => curve.filter((_, i) => i % 2 === 0 || i === curve.length - 1);

/** Mean, 95 % band and standard deviation of phi (rows, cells), mV: exact, in single precision, and their difference. */
export function roundOffFigure(x: Float64Array, exact: Float64Array, single: Float64Array): Figure {
  const cells = x.length;
  const curves = [
    { name: "exact", values: exact, hex: colour.pde },
    { name: "in float32", values: single, hex: printed },
    {
      name: "round-off alone",
      values: single.map((value, i) => value - exact[i]),
      hex: colour.grey,
      dash: "dot",
    },
  ];
  // What round-off alone does is seen in the spread: a third band would hide the two.
  const bands = curves.slice(0, 2).map(({ values, ...style }): Curve => {
    const [low, high] = columnPercentiles(values, cells).map(thinned);
    return { ...style, x: thinned(x), y: thinned(columnMean(values, cells)), low, high };
  });
  const spreads = curves.map(({ values, ...style }) => {
    return { ...style, x: thinned(x), y: thinned(columnStd(values, cells)) };
  });
  return curvesFigure(
    [
      { title: "mean and 95 % band of φ", x: "x (µm)", y: "φ (mV)", curves: bands },
      { title: "spread of φ", x: "x (µm)", y: "std of φ (mV)", curves: spreads },
    ],
    { height: 370, text: "The potential in single precision: bands and standard deviations" },
  );
}

/** Root mean square error of phi, V, of two forms of elimination against the share of the reaction in the diagonal. */
export function eliminationFigure(
  shares: readonly number[],
  errors: { readonly difference: readonly number[]; readonly excess: readonly number[] },
  here: number,
): Figure {
  const curve = (name: string, hex: string, values: readonly number[]): Curve => ({
    name,
    hex,
    mode: "lines+markers",
    x: shares,
    y: values.map((value) => 1e6 * value),
  });
  return curvesFigure(
    [
      {
        x: "share of the reaction in the diagonal, a k<sub>rn</sub> Δx² / k",
        y: "rms error of φ (µV)",
        xType: "log",
        yType: "log",
        curves: [
          curve("pivots by difference", printed, errors.difference),
          curve("pivots from the excess", right, errors.excess),
          { name: "this electrode", hex: colour.grey, dash: "dot", x: [here, here], y: [1e-2, 1e3] },
        ],
      },
    ],
    { height: 345, text: "Error of phi in float32 against the strength of the reaction" },
  );
}

/** Mean and 95 % band of each field of each set, a row of panels a convention. */
export function conventionsFigure(sets: readonly DataSet[]): Figure {
  const list = sets.flatMap((set) => {
    const { cells, fields, settings } = set.problem;
    const name = String(settings["convention"]);
    return fields.map((field, f) => {
      const { title, factor } = fieldAxis(field);
      const part = (values: Float64Array) =>
        values.subarray(f * cells, (f + 1) * cells).map((value) => factor * value);
      const width = fields.length * cells;
      const [low, high] = columnPercentiles(set.fields, width).map(part).map(thinned);
      const y = thinned(part(columnMean(set.fields, width)));
      const hex = CONVENTION_COLOURS[name];
      const curves = [{ name, hex, x: thinned(micrometres(set)), y, low, high }];
      return { title: `convention “${name}”`, x: "x (µm)", y: title, curves };
    });
  });
  return curvesFigure(list, { columns: 2, height: 570, text: "Both conventions: mean and 95 % band" });
}

/** c of one porosity at several U0, a panel a convention: solutions[k][i] are the fields of titles[k], potentials[i]. */
export function equilibriumPotentialFigure(
  x: Float64Array,
  titles: readonly string[],
  potentials: readonly number[],
  solutions: readonly (readonly Float64Array[])[],
): Figure {
  const list = titles.map((title, k) => ({
    title: `convention “${title}”`,
    x: "x (µm)",
    y: "c (mol/m³)",
    curves: potentials.map((potential, i) => ({
      name: `U₀ = ${potential} V`.replace("-", "−"),
      hex: SHADES[i % SHADES.length],
      dash: DASHES[i % DASHES.length],
      x: thinned(x),
      y: thinned(solutions[k][i].subarray(0, x.length)),
    })),
  }));
  return curvesFigure(list, { height: 345, text: "Concentration at several U0 in both conventions" });
}

/** c at several times and its steady state; beside it what c(0) still misses, in %, with the slowest mode, tau in s. */
export function steadyStateFigure(
  x: Float64Array,
  states: readonly { readonly seconds: number; readonly c: Float64Array }[],
  steady: Float64Array,
  missing: { readonly seconds: readonly number[]; readonly percent: readonly number[]; readonly tau: number },
): Figure {
  const { seconds, percent, tau } = missing;
  const last = seconds.length - 1;
  // From light to dark; a sequence, so one hue.
  const greys = states.map((_, k) => `hsl(165, 70%, ${Math.round(75 - (55 * k) / (states.length - 1))}%)`);
  const growth = states.map(({ seconds: t, c }, k) => ({
    name: `${t} s`,
    hex: greys[k],
    x: thinned(x),
    y: thinned(c),
  }));
  const limit = { name: "steady", hex: "#222222", dash: "dash", x: thinned(x), y: thinned(steady) };
  const mode = seconds.map((t) => percent[last] * Math.exp((seconds[last] - t) / tau));
  return curvesFigure(
    [
      { x: "x (µm)", y: "c (mol/m³)", curves: [...growth, limit] },
      {
        x: "t (s)",
        y: "c(0) still misses (%)",
        yType: "log",
        curves: [
          { name: "slowest mode alone", hex: colour.fifth, dash: "dash", x: seconds, y: mode },
          { name: "computed", hex: colour.pde, mode: "markers", x: seconds, y: percent },
        ],
      },
    ],
    { height: 370, text: "The transient of c and its way to the steady state" },
  );
}

/** Largest errors against the number of cells for several readings of a grid. */
export function readingFigure(
  sizes: readonly number[],
  cases: readonly { readonly name: string; readonly errors: readonly number[] }[],
): Figure {
  const symbols = ["circle", "square", "circle-open"]; // the last two lie on one another
  const hexes = [right, printed, colour.pde];
  const curves = cases.map(({ name, errors }, k): Curve => ({
    name,
    hex: hexes[k % hexes.length],
    symbol: symbols[k % symbols.length],
    mode: k === 2 ? "markers" : "lines+markers",
    x: sizes,
    y: errors,
  }));
  const axes = { x: "number of cells", y: "largest error / rise of c", xType: "log", yType: "log" } as const;
  return curvesFigure([{ ...axes, xTicks: sizes, curves }], { height: 345, text: "Orders of readings" });
}
