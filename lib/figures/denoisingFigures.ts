/** Figures of what denoising is made of, and how well it is done, over noise levels. */
import { type DataSet, rowField } from "../dataSet";
import type { DenoisedFields } from "../../notebooks/support/08/denoisedFields";
import type { DenoisingLevel } from "../../notebooks/support/07/denoisingProfile";
import { colour, type Figure, line, panels, type Trace } from "./figure";
import { fieldAxis, micrometres } from "./physicsFigures";
import { withSlider } from "./slider";

const NOISE = "noise level s (standard deviations)";
const axis = { x: NOISE, xType: "log" as const };

/** What a network has to add under three preconditioners, as a share of the denoised field; and the error left. */
export function profileFigure(profile: readonly DenoisingLevel[]): Figure {
  const s = profile.map(({ noiseLevel }) => noiseLevel);
  const curve = (values: number[], name: string, hex: string, dash = "solid", unit = "%"): Trace =>
    line(s, values, {
      name,
      line: { color: hex, width: 2.5, dash },
      hovertemplate: `${name}<br>s = %{x}: %{y:.3g} ${unit}<extra></extra>`,
    });
  const share = (part: keyof DenoisingLevel["beyond"]) =>
    profile.map(({ beyond, denoised }) => (100 * beyond[part]) / denoised);
  const errors = (part: keyof DenoisingLevel["error"]) => profile.map(({ error }) => error[part]);
  return panels(
    [
      {
        ...axis,
        title: "what is left for the network",
        y: "share of the denoised field (%)",
        yRange: [0, 105],
        traces: [
          curve(share("nothing"), "no preconditioner", colour.grey, "dot"),
          curve(share("scaled"), "EDM's, one for all modes", colour.third, "dash"),
          curve(share("linear"), "EDM's, mode by mode", colour.fifth),
        ],
      },
      {
        ...axis,
        title: "distance from the clean field",
        y: "rms error (standard deviations)",
        yType: "log",
        traces: [
          curve(errors("scaled"), "EDM's, one for all modes", colour.third, "dash", ""),
          curve(errors("linear"), "EDM's, mode by mode", colour.fifth, "solid", ""),
          curve(errors("network"), "with the network", colour.sgm, "solid", ""),
        ],
      },
    ],
    { height: 440, text: "What a network adds to the denoised field, and the error left, over noise levels" },
  );
}

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
  const panel = { ...axis, y: "loss (mean square of v's error)", yType: "log" as const, traces };
  const figure = panels([panel], { width: 760, height: 430, text: "Loss over noise levels" });
  return {
    ...figure,
    layout: { ...figure.layout, xaxis: { ...(figure.layout["xaxis"] as object), dtick: 1 } },
  };
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
