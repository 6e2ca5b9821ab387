/** Figures of sampling: fields on their way out of the noise, and what few steps do to their distribution. */
import { type DataSet } from "../../../lib/dataSet";
import { rowField } from "../../../lib/data/rows";
import type { PathState } from "./samplingPath";
import { columnMean, columnPercentiles } from "../../../lib/comparison";
import { band, colour, type Figure, line, panels, type PanelOptions } from "../../../lib/figures/figure";
import { fieldAxis, micrometres } from "../../../lib/figures/fieldFigures";
import { withSlider } from "../../../lib/figures/slider";

const SHADES = [colour.sgm, colour.third, colour.fourth, colour.fifth, colour.grey, colour.pde];

/** Lowest and highest value of a field in its drawn units, with some room. */
function rangeOf(sets: readonly DataSet[], f: number, room: number): [number, number] {
  const { factor } = fieldAxis(sets[0].problem.fields[f]);
  const values = sets.flatMap((set) =>
    Array.from({ length: set.rows }, (_, row) =>
      Array.from(rowField(set, row, f), (value) => factor * value),
    ).flat(),
  );
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return [low - room * (high - low), high + room * (high - low)];
}

function unitOf(title: string): string {
  return title.replace(/^.*\((.*)\)$/, "$1");
}

/** A slider over some of a sampler's steps: one batch of fields coming out of the noise, one colour a field. */
export function pathFigure(states: readonly PathState[], active = 0): Figure {
  const last = states[states.length - 1].fields;
  const x = micrometres(last);
  const ranges = last.problem.fields.map((_, f) => rangeOf([last], f, 0.6));
  const positions = states.map(({ noiseLevel, fields }) => ({
    label: String(Number(noiseLevel.toPrecision(2))),
    figure: panels(
      last.problem.fields.map((field, f) => {
        const { title, factor } = fieldAxis(field);
        return {
          title: field.description.split(",")[0],
          x: "x (µm)",
          y: title,
          yRange: ranges[f],
          traces: Array.from({ length: fields.rows }, (_, row) =>
            line(
              x,
              rowField(fields, row, f).map((value) => factor * value),
              {
                name: `field ${row + 1}`,
                showlegend: false,
                line: { color: SHADES[row % SHADES.length], width: 1.8 },
                hovertemplate: `field ${row + 1}: %{y} ${unitOf(title)}<extra></extra>`,
              },
            ),
          ),
        };
      }),
      { height: 400, legend: false },
    ),
  }));
  return withSlider(positions, {
    prefix: "noise level s = ",
    active,
    text: "A batch of fields coming out of the noise; slider: step of the sampler",
  });
}

/** What one sampler drew with some numbers of steps; sets[k] belongs to the k-th number. */
export interface StepsRow {
  readonly name: string;
  readonly sets: readonly DataSet[];
}

/**
 * A slider over the number of steps: mean and 95 % band of what each sampler draws, one row of panels each, against the
 * PDE's.
 */
export function stepsFigure(
  pde: DataSet,
  steps: readonly number[],
  rows: readonly StepsRow[],
  active = 0,
): Figure {
  const { problem } = pde;
  const width = problem.fields.length * problem.cells;
  // Every second cell, and the last: bands are smooth, and frames many.
  const every = (_: number, i: number) => i % 2 === 0 || i === problem.cells - 1;
  const x = micrometres(pde).filter(every);
  const summary = (set: DataSet) => ({
    mean: columnMean(set.fields, width),
    ends: columnPercentiles(set.fields, width, [2.5, 97.5]),
  });
  const truth = summary(pde);
  const positions = steps.map((count, k) => ({
    label: String(count),
    figure: panels(
      rows.flatMap(({ name, sets }): PanelOptions[] => {
        const drawn = summary(sets[k]);
        return problem.fields.map((field, f) => {
          const { title, factor } = fieldAxis(field);
          const part = (values: Float64Array) =>
            values
              .subarray(f * problem.cells, (f + 1) * problem.cells)
              .filter(every)
              .map((value) => factor * value);
          const curves = (
            { mean, ends: [low, high] }: typeof truth,
            who: string,
            hex: string,
            dash: string,
          ) => [
            band(x, part(low), part(high), hex, `${who} 95 %`),
            line(x, part(mean), {
              name: `${who} mean`,
              line: { color: hex, width: 2.5, dash },
              hovertemplate: `${who} mean: %{y} ${unitOf(title)}<extra></extra>`,
            }),
          ];
          const [low, high] = truth.ends.map(part);
          const [least, most] = [Math.min(...low), Math.max(...high)];
          return {
            title: name,
            x: "x (µm)",
            y: title,
            yRange: [least - 0.35 * (most - least), most + 0.35 * (most - least)] as const,
            traces: [
              ...curves(truth, "PDE", colour.pde, "solid"),
              ...curves(drawn, "SGM", colour.sgm, "dash"),
            ],
          };
        });
      }),
      { height: 340 * rows.length, columns: problem.fields.length },
    ),
  }));
  return withSlider(positions, {
    prefix: "steps: ",
    active,
    text: "Mean and 95 % band of the PDE and of samplers; slider: number of steps",
  });
}

/** One field of what several samplers make of the same starting noise, one panel a sampler, beside a reference. */
export function sameNoiseFigure(
  reference: DataSet,
  drawn: readonly { readonly name: string; readonly set: DataSet }[],
  { field = 0, rows = 2 } = {},
): Figure {
  const x = micrometres(reference);
  const { title, factor } = fieldAxis(reference.problem.fields[field]);
  const count = Math.min(rows, reference.rows);
  const some = { ...reference, rows: count };
  const yRange = rangeOf([some], field, 0.5);
  const curves = (set: DataSet, dash: string, width: number, what: string) =>
    Array.from({ length: count }, (_, row) =>
      line(
        x,
        rowField(set, row, field).map((value) => factor * value),
        {
          name: what,
          showlegend: false,
          line: { color: SHADES[row + 1], width, dash },
          hovertemplate: `${what}, field ${row + 1}: %{y} ${unitOf(title)}<extra></extra>`,
        },
      ),
    );
  const list = drawn.map(({ name, set }, i) => ({
    title: name,
    x: "x (µm)",
    y: i % 3 === 0 ? title : "",
    yRange,
    traces: [...curves(reference, "dot", 1.5, "reference"), ...curves(set, "solid", 2.2, name)],
  }));
  const text = `What samplers make of the same noise: ${drawn.map(({ name }) => name).join(", ")}`;
  return panels(list, {
    height: 290 * Math.ceil(list.length / 3),
    columns: Math.min(3, list.length),
    legend: false,
    text,
  });
}
