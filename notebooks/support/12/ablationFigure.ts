import type { AblationQuestion, AblationStudy } from "../../../lib/evaluation/studies";
import { colour, type Figure, line, panels, points } from "../../../lib/figures/figure";

/** A training's seed and its floor ratio. */
type Seeded = readonly [seed: number, floorRatio: number];

/** Floor ratios of an answer at a condition, one a seed; those that are not finite are left out. */
function seedsOf({ runs }: AblationStudy, variant: string, condition: string): Seeded[] {
  const own = runs.filter((run) => run.variant === variant);
  return own.flatMap(({ seed, results }) =>
    results.flatMap((result): Seeded[] => {
      const { floorRatio } = result;
      return result.condition === condition && floorRatio !== null ? [[seed, floorRatio]] : [];
    }),
  );
}

/** One symbol a seed, the same in all rows: answers may be compared seed by seed. */
const SYMBOLS = ["circle-open", "square-open", "diamond-open", "triangle-up-open"];

/**
 * Floor ratios of one question's answers, a row each: open symbols the seeds, a bar their mean, a colour for each condition, and the
 * floor as a line. conditions: names of those that are shown; by default all.
 */
export function ablationFigure(
  study: AblationStudy,
  { question, answers, reach = false }: AblationQuestion,
  conditions: readonly string[] = study.evaluation.conditions.map(({ name }) => name),
): Figure {
  const shades = [colour.pde, colour.sgm, colour.third, colour.fourth];
  const shown = conditions.filter((name) =>
    answers.some(({ variant }) => seedsOf(study, variant, name).length > 0),
  );
  const labels = answers.map(({ label, variant }) => {
    const about = study.variants.find(({ name }) => name === variant);
    return reach ? `${label}<br>reach ${about?.reach} cells` : label;
  });
  // The first answer is on top; the conditions of an answer lie beside one another.
  const height = (answer: number, k: number) =>
    answers.length - 1 - answer + 0.24 * ((shown.length - 1) / 2 - k);
  const traces = shown.flatMap((name, k) => {
    const seeds = answers.map(({ variant }) => seedsOf(study, variant, name));
    const all = seeds.flatMap((list, a) => list.map(([, value]): [number, number] => [value, height(a, k)]));
    const symbol = seeds.flat().map(([seed]) => SYMBOLS[(seed - 1) % SYMBOLS.length]);
    const means = seeds.flatMap((values, a): [number, number][] =>
      values.length === 0
        ? []
        : [[values.reduce((sum, [, value]) => sum + value, 0) / values.length, height(a, k)]],
    );
    const column = (pairs: readonly [number, number][], at: 0 | 1) => pairs.map((pair) => pair[at]);
    const color = shades[k % shades.length];
    return [
      points(column(all, 0), column(all, 1), {
        name,
        marker: { color, size: 8, symbol, line: { width: 1.5 } },
      }),
      // A thin bar, which hides no seed.
      points(column(means, 0), column(means, 1), {
        marker: { color, size: 12, symbol: "line-ns", line: { width: 2.5, color } },
        showlegend: false,
      }),
    ];
  });
  const floor = line([1, 1], [-0.5, answers.length - 0.5], {
    name: "sampling floor",
    line: { color: colour.grey, width: 1.5, dash: "dash" },
  });
  const panel = {
    x: `floor ratio, n = ${study.evaluation.floorRows}`,
    y: "answer",
    title: question,
    xType: "log" as const,
    traces: [...traces, floor],
  };
  const size = { width: 820, height: 190 + 62 * answers.length };
  const figure = panels([panel], { ...size, text: `${question} Floor ratios of ${answers.length} answers` });
  const values = answers.flatMap(({ variant }) =>
    shown.flatMap((name) => seedsOf(study, variant, name).map(([, value]) => value)),
  );
  const xaxis = { ...(figure.layout["xaxis"] as object), ...ticks(values) };
  const yaxis = {
    ...(figure.layout["yaxis"] as object),
    tickvals: answers.map((_, a) => answers.length - 1 - a),
    ticktext: labels,
    range: [-0.5, answers.length - 0.5],
    automargin: true,
  };
  return { ...figure, layout: { ...figure.layout, xaxis, yaxis } };
}

/** A logarithmic axis that holds the values and the floor, with numbers at 1, 2 and 5 times the powers of ten. */
function ticks(values: readonly number[]): {
  tickvals: number[];
  ticktext: string[];
  range: [number, number];
} {
  const positive = values.filter((value) => value > 0);
  const [low, high] = [Math.min(0.8, ...positive) / 1.15, Math.max(2, ...positive) * 1.15];
  const decades = Array.from({ length: 12 }, (_, k) => 10 ** (k - 3));
  const steps = high / low > 300 ? [1] : [1, 2, 5];
  const tickvals = decades
    .flatMap((power) => steps.map((step) => Number((step * power).toPrecision(1))))
    .filter((value) => value >= low && value <= high);
  return { tickvals, ticktext: tickvals.map(String), range: [Math.log10(low), Math.log10(high)] };
}
