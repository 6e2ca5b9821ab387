/** Figures of how well a model denoises, over noise levels. */
import { type DataSet } from "../../../lib/dataSet";
import { rowField } from "../../../lib/data/rows";
import { fieldAxis, micrometres } from "../../../lib/figures/fieldFigures";
import { colour, type Figure, line, panels, type Trace } from "../../../lib/figures/figure";
import { withSlider } from "../../../lib/figures/slider";
import type { DenoisedFields } from "./denoisedFields";

/** Losses over noise levels, one curve each. */
export function lossFigure(
  levels: readonly number[],
  curves: readonly {
    readonly name: string;
    readonly loss: ArrayLike<number>;
    readonly hex: string;
    readonly dash?: string;
  }[],
): Figure {
  const traces = curves.map(({ name, loss, hex, dash = "solid" }) =>
    line(levels, loss, {
      name,
      line: { color: hex, width: 2.5, dash },
      hovertemplate: `${name}<br>s = %{x}: %{y:.3f}<extra></extra>`,
    }),
  );
  const x = "noise level s (standard deviations)";
  const panel = {
    x,
    xType: "log" as const,
    y: "loss (mean square of v's error)",
    yType: "log" as const,
    traces,
  };
  return panels([panel], { width: 760, height: 430, text: "Loss over noise levels" });
}

/**
 * A slider over noise levels: one clean solution, the same under noise, and the model's guess of what lies under it.
 *
 * set: what the states were made of; row: which of its rows.
 */
export function denoisedFigure(set: DataSet, states: readonly DenoisedFields[], row = 0, active = 0): Figure {
  const x = micrometres(set);
  const positions = states.map(({ noiseLevel, noisy, denoised }) => ({
    label: String(Number(noiseLevel.toPrecision(2))),
    figure: panels(
      set.problem.fields.map((field, f) => {
        const { title, factor } = fieldAxis(field);
        const scaled = (from: DataSet) => rowField(from, row, f).map((value) => factor * value);
        const clean = scaled(set);
        const [low, high] = [Math.min(...clean), Math.max(...clean)];
        const unit = title.replace(/^.*\((.*)\)$/, "$1");
        const curve = (from: DataSet, name: string, style: Trace) =>
          line(x, scaled(from), { name, line: style, hovertemplate: `${name}: %{y} ${unit}<extra></extra>` });
        return {
          title: field.description.split(",")[0],
          x: "x (µm)",
          y: title,
          yRange: [low - 0.6 * (high - low), high + 0.6 * (high - low)] as const,
          traces: [
            curve(noisy, "under noise", { color: "#b5b5b5", width: 1.2 }),
            curve(set, "solution (PDE)", { color: colour.pde, width: 3 }),
            curve(denoised, "model's guess", { color: colour.sgm, width: 2.5, dash: "dash" }),
          ],
        };
      }),
      { height: 420 },
    ),
  }));
  return withSlider(positions, {
    prefix: "noise level s = ",
    active,
    text: "A solution, the same under noise, and the model's guess; slider: noise level",
  });
}
