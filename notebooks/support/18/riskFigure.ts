import {
  band,
  colour,
  type Figure,
  hoverLabel,
  line,
  panels,
  points,
  type Trace,
} from "../../../lib/figures/figure";

/** A probability with its interval, from the model and from the solver, at one value of a condition. */
export interface RiskPoint {
  readonly value: number;
  readonly model: Interval;
  readonly solver: Interval;
}

export interface Interval {
  readonly p: number;
  readonly low: number;
  readonly high: number;
}

/** One panel for each condition that is varied; curves: one for each name. */
interface RiskPanel {
  readonly title: string;
  readonly x: string;
  readonly curves: readonly (readonly RiskPoint[])[];
}

const HEXES = [colour.third, colour.sgm, colour.pde];

/** Risks in per cent: the model's as lines with bands, the solver's as points with bars. */
export function riskFigure(names: readonly string[], list: readonly RiskPanel[]): Figure {
  const drawn = list.map(({ title, x, curves }) => ({
    ...{ title, x, y: "risk (%)" },
    traces: curves.flatMap((own, k): Trace[] => {
      const at = own.map(({ value }) => value);
      const of = (who: "model" | "solver", end: keyof Interval) => own.map((point) => 100 * point[who][end]);
      const hover = (who: string) =>
        `${names[k]}, ${who}<br>${hoverLabel(x, "x")}<br>${hoverLabel("risk (%)", "y")}<extra></extra>`;
      const [p, low, high] = [of("solver", "p"), of("solver", "low"), of("solver", "high")];
      const bars = {
        ...{ type: "data", symmetric: false, thickness: 1.5, width: 4 },
        ...{ array: high.map((value, i) => value - p[i]), arrayminus: low.map((value, i) => p[i] - value) },
      };
      return [
        {
          ...band(at, of("model", "low"), of("model", "high"), HEXES[k], `${names[k]}, model 95 %`),
          showlegend: false,
        },
        line(at, of("model", "p"), {
          name: `${names[k]}, model`,
          line: { color: HEXES[k], width: 2.5 },
          hovertemplate: hover("model"),
        }),
        points(at, p, {
          name: `${names[k]}, solver`,
          marker: { color: HEXES[k], size: 7, line: { color: "#222", width: 1 } },
          error_y: { ...bars, color: HEXES[k] },
          hovertemplate: hover("solver"),
        }),
      ];
    }),
  }));
  return panels(drawn, { height: 430, text: "Risks by the model and by the solver" });
}
