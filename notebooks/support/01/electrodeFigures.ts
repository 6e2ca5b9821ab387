/** Figures of the porous electrode: the random porosity, and how much the fields vary. */
import type { DataSet } from "../../../lib/dataSet";
import { fieldAxis, micrometres, rowColours, spreadOf } from "../../../lib/figures/fieldFigures";
import { colour, type Figure, line, panels, withHover } from "../../../lib/figures/figure";

/**
 * Figure 1: porosity fields, one panel for each data set (drawn at one correlation length each).
 *
 * rows: fields drawn in each panel.
 */
export function porosityFigure(sets: readonly DataSet[], titles: readonly string[], rows = 4): Figure {
  const list = sets.map((set, index) => {
    const { latent, problem } = set;
    if (!latent) throw new Error("The data set has no porosity.");
    const traces = Array.from({ length: Math.min(rows, set.rows) }, (_, row) =>
      line(micrometres(set), latent.subarray(row * problem.cells, (row + 1) * problem.cells), {
        line: { color: rowColours[row % rowColours.length], width: 2 },
        showlegend: false,
      }),
    );
    return { title: titles[index], x: "x (µm)", y: "porosity ε", yRange: [0.2, 0.5] as const, traces };
  });
  return withHover(panels(list, { height: 340, legend: false, text: "Figure 1: porosity fields" }));
}

/** Standard deviation of every field of a data set along x, one panel a field, with its largest value marked. */
export function uncertaintyFigure(set: DataSet): Figure {
  const x = micrometres(set);
  const list = set.problem.fields.map((field, f) => {
    const std = spreadOf(set, f);
    const peak = std.indexOf(Math.max(...std));
    const marker = { size: 10, color: colour.fifth };
    return {
      title: field.description.split(",")[0],
      x: "x (µm)",
      y: `std of ${fieldAxis(field).title}`,
      traces: [
        line(x, std, { name: "standard deviation", line: { color: colour.pde, width: 2.5 } }),
        line([x[peak]], [std[peak]], { name: "largest", mode: "markers", marker }),
      ],
    };
  });
  return withHover(panels(list, { height: 390, text: "Standard deviation of both fields along x" }));
}
