/** Figures of a data set: what follows from the conditions, and what is left to the porosity. */
import { type DataSet, groupByCondition } from "../data/dataset";
import { colour, type Figure, line, panels, points } from "./figure";
import { fieldAxis, micrometres } from "./physicsFigures";

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
    const { symbol, unit } = conditions[condition];
    return {
      x: `${symbol} (${unit.replace("m2", "m²")})`,
      y: title.replace(" (", `(x = ${cell === 0 ? "0" : "L"}) (`),
      traces: [
        points(
          rows.map((row) => data.conditions[row * conditions.length + condition]),
          rows.map((row) => factor * data.fields[row * width + f * cells + cell]),
          { marker: { size: 3, color: hex, opacity: 0.5 }, showlegend: false },
        ),
      ],
    };
  });
  return panels(list, { height: 380, legend: false, text: "Fields against conditions" });
}

/** Standard deviation of each cell: over the whole set, and on average within one condition. */
export function variancesFigure(data: DataSet): Figure {
  const { problem } = data;
  const { cells, fields } = problem;
  const width = fields.length * cells;
  const [total, within] = [new Float64Array(width), new Float64Array(width)];
  const [sum, groups] = [new Float64Array(width), groupByCondition(data)];
  for (let row = 0; row < data.rows; row++) {
    for (let i = 0; i < width; i++) sum[i] += data.fields[row * width + i] / data.rows;
  }
  for (const { rows } of groups) {
    const mean = new Float64Array(width);
    for (const row of rows)
      for (let i = 0; i < width; i++) mean[i] += data.fields[row * width + i] / rows.length;
    for (const row of rows) {
      for (let i = 0; i < width; i++) {
        total[i] += (data.fields[row * width + i] - sum[i]) ** 2 / data.rows;
        within[i] += (data.fields[row * width + i] - mean[i]) ** 2 / (data.rows - groups.length);
      }
    }
  }
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
  return panels(list, { height: 420, text: "Spread over the data set and within a condition" });
}
