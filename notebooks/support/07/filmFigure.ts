/** What FiLM does to one feature map while a condition moves. */
import type { FilmState } from "./filmStates";
import {
  colour,
  type Figure,
  line,
  panels,
  type PanelOptions,
  points,
  rounded,
} from "../../../lib/figures/figure";
import { withSlider } from "../../../lib/figures/slider";

const SHADES = [colour.third, colour.fourth, colour.fifth];

/** The channels whose gain moves most over some states; two figures that show the same ones give them the same colours. */
export function movingChannels(states: readonly FilmState[]): number[] {
  const moved = (k: number) => {
    const gains = states.map(({ gamma }) => gamma[k]);
    return Math.max(...gains) - Math.min(...gains);
  };
  const order = Array.from({ length: states[0].channels }, (_, k) => k);
  return order.sort((a, b) => moved(b) - moved(a)).slice(0, SHADES.length);
}

/**
 * A slider over states of one FiLM layer: some channels of the feature map before and after it, and the gain 1 + gamma
 * and shift beta of all channels, those shown marked in their colours.
 *
 * length: of the domain, m; label, prefix: what the slider says; shown: channels, see {@link movingChannels}.
 */
export function filmFigure(
  states: readonly FilmState[],
  options: {
    length: number;
    label: (state: FilmState) => string;
    prefix: string;
    active?: number;
    shown?: readonly number[];
  },
): Figure {
  const { length, label, prefix, active, shown = movingChannels(states) } = options;
  const { positions, channels } = states[0];
  const x = Array.from({ length: positions }, (_, i) => (1e6 * length * (i + 0.5)) / positions);
  const before = ({ features }: FilmState, k: number) =>
    Float32Array.from(x, (_, i) => features[i * channels + k]);
  const after = (state: FilmState, k: number) =>
    before(state, k).map((h) => (1 + state.gamma[k]) * h + state.beta[k]);
  const rangeOf = (values: readonly ArrayLike<number>[]): [number, number] => {
    const all = values.flatMap((list) => Array.from(list));
    const [low, high] = [Math.min(...all), Math.max(...all)];
    return [low - 0.08 * (high - low), high + 0.08 * (high - low)];
  };
  const maps = rangeOf(states.flatMap((state) => shown.flatMap((k) => [before(state, k), after(state, k)])));
  const gains = rangeOf(states.map(({ gamma }) => gamma.map((value) => 1 + value)));
  const shifts = rangeOf(states.map(({ beta }) => beta));
  const figureOf = (state: FilmState): Figure => {
    const map = (title: string, values: typeof before): PanelOptions => ({
      title,
      x: "x (µm)",
      y: "feature (1)",
      yRange: maps,
      traces: shown.map((k, i) =>
        line(x, rounded(values(state, k), 4), {
          name: `channel ${k}`,
          mode: "lines+markers",
          line: { color: SHADES[i], width: 2.5 },
          hovertemplate: `channel ${k}, x = %{x} µm: %{y}<extra></extra>`,
        }),
      ),
    });
    const vector = (title: string, yRange: [number, number], values: Float32Array): PanelOptions => ({
      title,
      x: "channel",
      y: `${title.split(" ")[0]} (1)`,
      yRange,
      traces: [
        points(Object.keys(Array.from(values)).map(Number), rounded(values, 4), {
          name: "other channels",
          marker: { size: 4, color: colour.grey },
          hovertemplate: `channel %{x}: %{y}<extra></extra>`,
        }),
        ...shown.map((k, i) =>
          points([k], [Number(values[k].toPrecision(4))], {
            showlegend: false,
            marker: { size: 11, color: SHADES[i] },
            hovertemplate: `channel ${k}: %{y}<extra></extra>`,
          }),
        ),
      ],
    });
    return panels(
      [
        map("before: h", before),
        map("after: (1 + γ) h + b", after),
        vector("gain 1 + γ", gains, state.gamma.map((value) => 1 + value)), // prettier-ignore
        vector("shift b", shifts, state.beta),
      ],
      { height: 640, columns: 2 },
    );
  };
  const list = states.map((state) => ({ label: label(state), figure: figureOf(state) }));
  const text = `A feature map before and after FiLM; slider: ${prefix}${list.map((each) => each.label).join(", ")}`;
  return withSlider(list, { prefix, active, text });
}
