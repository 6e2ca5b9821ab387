import { colour, type Figure, line, panels, type Trace } from "../../../lib/figures/figure";
import type { DenoisingLevel } from "./denoisingProfile";

const axis = { x: "noise level s (standard deviations)", xType: "log" as const };

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
