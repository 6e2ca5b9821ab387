/** Figures of fields over x: rows of a data set, means with bands. */
import { columnMean, columnPercentiles, columnStd } from "../comparison";
import { type DataSet } from "../dataSet";
import { rowField } from "../data/rows";
import { band, colour, type Figure, line, panels, type Trace, withHover } from "./figure";

/** Colours of rows; Okabe and Ito's sky blue stands in for the model's colour, which no solution may have. */
export const rowColours = [colour.pde, colour.fifth, colour.third, colour.fourth, "#56B4E9", colour.grey];

/** Cell centres in micrometres, the unit of every position axis. */
export function micrometres({ problem }: Pick<DataSet, "problem">): Float64Array {
  return problem.positions.map((x) => x * 1e6);
}

/** A field's axis title: symbol, unit. Potentials are drawn in mV. */
export function fieldAxis(field: { symbol: string; unit: string }): { title: string; factor: number } {
  if (field.unit === "V") return { title: `${field.symbol} (mV)`, factor: 1000 };
  return { title: `${field.symbol} (${field.unit.replace("m3", "m³").replace("m2", "m²")})`, factor: 1 };
}

/** Both fields of some rows of a data set, one colour a row. */
export function solutionsFigure(set: DataSet, rows = 5, title?: string): Figure {
  const list = set.problem.fields.map((field, f) => {
    const { title: axis, factor } = fieldAxis(field);
    const traces = Array.from({ length: Math.min(rows, set.rows) }, (_, row) =>
      line(
        micrometres(set),
        rowField(set, row, f).map((value) => factor * value),
        {
          line: { color: rowColours[row % rowColours.length], width: 2 },
          showlegend: false,
        },
      ),
    );
    return { title: field.description.split(",")[0], x: "x (µm)", y: axis, traces };
  });
  return withHover(
    panels(list, {
      height: 360,
      legend: false,
      title,
      text: title ?? `Both fields of ${Math.min(rows, set.rows)} solutions`,
    }),
  );
}

/** Mean and 95 % band of both fields for several data sets, each with a name and a colour. */
export function bandsFigure(
  sets: readonly { readonly set: DataSet; readonly name: string; readonly hex: string }[],
  options: { title?: string; text?: string } = {},
): Figure {
  const { problem } = sets[0].set;
  const width = problem.fields.length * problem.cells;
  const list = problem.fields.map((field, f) => {
    const { title, factor } = fieldAxis(field);
    const part = (values: Float64Array) =>
      values.subarray(f * problem.cells, (f + 1) * problem.cells).map((value) => factor * value);
    const traces = sets.flatMap(({ set, name, hex }, index): Trace[] => {
      const [low, high] = columnPercentiles(set.fields, width, [2.5, 97.5]);
      const x = micrometres(set);
      const mean = part(columnMean(set.fields, width));
      const style = { color: hex, width: 2.5, ...(index > 0 ? { dash: "dash" } : {}) }; // so that none hides another
      return [
        band(x, part(low), part(high), hex, `${name} 95 %`),
        line(x, mean, { name: `${name} mean`, line: style }),
      ];
    });
    return { title: field.description.split(",")[0], x: "x (µm)", y: title, traces };
  });
  return withHover(panels(list, { height: 430, ...options }));
}

/** Standard deviation over rows of one field, in the units of its axis. */
export function spreadOf(set: DataSet, f: number): Float64Array {
  const { problem } = set;
  const std = columnStd(set.fields, problem.fields.length * problem.cells);
  const { factor } = fieldAxis(problem.fields[f]);
  return std.subarray(f * problem.cells, (f + 1) * problem.cells).map((value) => factor * value);
}
