/** Figures of a data set: what follows from the conditions, and what is left to the porosity. */
import type { DataSet } from "../../../lib/dataSet";
import type { PrincipalComponents } from "../../../lib/evaluation/principalComponents";
import { bandsFigure, fieldAxis, micrometres } from "../../../lib/figures/fieldFigures";
import { colour, type Figure, line, panels, points, rounded, withHover } from "../../../lib/figures/figure";
import { sharedRanges, withSlider } from "../../../lib/figures/slider";
import { simulateAt } from "../../../lib/presets/simulate";
import { type Problem } from "../../../lib/problem";
import { conditionIndex } from "../../../lib/data/conditions";
import { columnCorrelations, columnOf } from "./correlation";
import type { FieldModes } from "./fieldModes";
import { varianceParts } from "./varianceParts";

const SHADES = [colour.third, colour.fifth, colour.fourth, colour.grey];

/** A condition's name on an axis or in a legend: symbol, unit. */
function conditionName({ symbol, unit }: { readonly symbol: string; readonly unit: string }): string {
  return `${symbol.replace("U0", "U₀")} (${unit.replace("m2", "m²")})`;
}

/** One value a row against the condition that drives it: c at the closed end, phi at the driven one. */
export function conditionsFigure(data: DataSet): Figure {
  const { problem } = data;
  const { cells, fields, conditions } = problem;
  const width = fields.length * cells;
  const cloud = [
    { f: 0, cell: 0, condition: 1, hex: colour.pde },
    { f: 1, cell: cells - 1, condition: 2, hex: colour.fifth },
  ];
  // A few thousand points show the cloud; more only make the file large.
  const stride = Math.max(1, Math.ceil(data.rows / 2500));
  const rows = Array.from({ length: Math.floor(data.rows / stride) }, (_, i) => i * stride);
  const list = cloud.map(({ f, cell, condition, hex }) => {
    const { title, factor } = fieldAxis(fields[f]);
    return {
      x: conditionName(conditions[condition]),
      y: title.replace(" (", `(x = ${cell === 0 ? "0" : "L"}) (`),
      traces: [
        points(
          rounded(
            rows.map((row) => data.conditions[row * conditions.length + condition]),
            4,
          ),
          rounded(
            rows.map((row) => factor * data.fields[row * width + f * cells + cell]),
            f === 0 ? 6 : 4,
          ),
          { marker: { size: 3, color: hex, opacity: 0.5 }, showlegend: false },
        ),
      ],
    };
  });
  return withHover(panels(list, { height: 380, legend: false, text: "Fields against conditions" }));
}

/** Correlation of every cell of every field with every condition (its logarithm where it is drawn so), along x. */
export function correlationsFigure(data: DataSet): Figure {
  const { problem } = data;
  const { cells, conditions, fields } = problem;
  const correlations = conditions.map(({ scale }, k) => {
    const values = columnOf(data.conditions, conditions.length, k);
    const driven = scale === "log" ? values.map(Math.log) : values;
    return columnCorrelations(data.fields, fields.length * cells, driven);
  });
  const list = fields.map((field, f) => ({
    title: field.description.split(",")[0],
    x: "x (µm)",
    y: "correlation (1)",
    yRange: [-1.05, 1.05] as const,
    traces: conditions.map(({ symbol, scale }, k) =>
      line(micrometres(data), rounded(correlations[k].subarray(f * cells, (f + 1) * cells), 3), {
        name: `with ${scale === "log" ? "log " : ""}${symbol.replace("U0", "U₀")}`,
        line: { color: SHADES[k % SHADES.length], width: 2.5 },
      }),
    ),
  }));
  return withHover(panels(list, { height: 410, text: "Correlation of fields with conditions" }));
}

/** Standard deviation of each cell: over the whole set, and on average within one condition. */
export function variancesFigure(data: DataSet): Figure {
  const { problem } = data;
  const { cells, fields } = problem;
  const { total, within } = varianceParts(data);
  // A fixed cell has a spread of round-off, which a logarithmic axis would show as a cliff.
  const spread = (variances: Float64Array) => {
    const largest = variances.reduce((most, value) => Math.max(most, value), 0);
    return variances.map((value) => (value > 1e-16 * largest ? Math.sqrt(value) : NaN));
  };
  const list = fields.map((field, f) => {
    const { title, factor } = fieldAxis(field);
    const part = (values: Float64Array) =>
      spread(values.subarray(f * cells, (f + 1) * cells)).map((value) => factor * value);
    const style = (color: string) => ({ line: { color, width: 2.5 } });
    const x = micrometres(data);
    return {
      title: field.description.split(",")[0],
      x: "x (µm)",
      y: `std of ${title}`,
      yType: "log" as const,
      traces: [
        line(x, part(total), { name: "whole data set", ...style(colour.grey) }),
        line(x, part(within), { name: "within one condition", ...style(colour.pde) }),
      ],
    };
  });
  return withHover(panels(list, { height: 420, text: "Spread over the data set and within a condition" }));
}

/** Shares of the variance that modes carry, one by one and together, for several sets. */
export function spectrumFigure(
  curves: readonly { readonly name: string; readonly modes: PrincipalComponents }[],
  count = 30,
): Figure {
  const numbers = Array.from({ length: count }, (_, k) => k + 1);
  const share = ({ variances, totalVariance }: PrincipalComponents) =>
    Array.from(variances.slice(0, count), (value) => (100 * value) / totalVariance);
  const cumulative = (modes: PrincipalComponents) => {
    let sum = 0;
    return share(modes).map((value) => (sum += value));
  };
  const style = (k: number) => ({
    mode: "lines+markers",
    line: { color: SHADES[k % SHADES.length], width: 2.5 },
    marker: { size: 5 },
  });
  const list = [
    { title: "each mode", y: "variance (%)", yType: "log" as const, of: share },
    { title: "all modes up to it", y: "variance (%)", of: cumulative },
  ].map(({ of, ...panel }) => ({
    ...panel,
    x: "number of the mode",
    traces: curves.map(({ name, modes }, k) => line(numbers, rounded(of(modes), 4), { name, ...style(k) })),
  }));
  return withHover(panels(list, { height: 420, text: "Variance carried by modes" }));
}

/** The leading modes of a set under one condition, one standard deviation of each. */
export function modesFigure(problem: Problem, modes: FieldModes, count = 4): Figure {
  const { cells, fields } = problem;
  const width = fields.length * cells;
  const shades = [colour.pde, colour.fifth, colour.third, colour.fourth];
  const list = fields.map((field, f) => {
    const { title, factor } = fieldAxis(field);
    return {
      title: field.description.split(",")[0],
      x: "x (µm)",
      y: title.replace(" (", " − mean ("),
      traces: Array.from({ length: Math.min(count, modes.variances.length) }, (_, k) => {
        const start = k * width + f * cells;
        const shape = modes.shapes.subarray(start, start + cells).map((value) => factor * value);
        const percent = ((100 * modes.variances[k]) / modes.totalVariance).toPrecision(3);
        return line(micrometres({ problem }), rounded(shape, 4), {
          name: `mode ${k + 1}: ${percent} %`,
          line: { color: shades[k % shades.length], width: 2.5 },
        });
      }),
    };
  });
  return withHover(panels(list, { height: 420, text: "Leading modes of c and φ together" }));
}

/**
 * Mean and 95 % band of all fields, with a slider over the values of one condition.
 *
 * conditions: the others' values. The same porosities at every position, as long as the condition does not shape them.
 */
export function conditionSliderFigure(
  problem: Problem,
  name: string,
  values: readonly number[],
  conditions: readonly number[],
  { rows = 500, seed = 1 }: { rows?: number; seed?: number } = {},
): Figure {
  const index = conditionIndex(problem, name);
  const { symbol, unit } = problem.conditions[index];
  const positions = values.map((value) => {
    const at = conditions.map((other, k) => (k === index ? value : other));
    const set = simulateAt(problem, at, rows, seed);
    const figure = bandsFigure([{ set, name: "PDE", hex: colour.pde }]);
    return { label: String(Number(value.toPrecision(3))), figure: { ...figure, data: lean(figure) } };
  });
  return withSlider(sharedRanges(positions), {
    prefix: `${symbol.replace("U0", "U₀")} in ${unit.replace("m2", "m²")}: `,
    active: Math.floor(values.length / 2),
    text: `Mean and band with a slider over ${symbol}`,
  });
}

/** Curves with as many digits as a picture of a slider's position shows. */
function lean({ data }: Figure): Figure["data"] {
  return data.map((trace) => ({ ...trace, y: rounded(trace["y"] as readonly number[], 6) }));
}
