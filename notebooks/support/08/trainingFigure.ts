import { duration, timeLeft } from "../../../lib/notebook/duration";
import type { DataSet } from "../../../lib/dataSet";
import { rowField } from "../../../lib/data/rows";
import type { TrainingState } from "../../../lib/storage/trainingRun";
import { settled, type Turn } from "../../../lib/storage/turns";
import { colour, type Figure, line, panels, type PanelOptions, points } from "../../../lib/figures/figure";
import { fieldAxis, micrometres } from "../../../lib/figures/fieldFigures";

/** A few fields of the model, and of the PDE at the same conditions (l in m, U0 in V, F in A/m2). */
export interface Preview {
  readonly conditions: readonly number[];
  readonly pde: DataSet;
  readonly sgm: DataSet;
}

/** What Figure 3 needs of a training: the states so far, thinned so that a long one stays small. */
export class TrainingHistory {
  /** Shown below the curves. */
  preview: Preview | undefined;
  private readonly states: TrainingState[] = [];
  private sums = { loss: 0, gradientNorm: 0, count: 0 };

  /** steps: points are means over `every` steps. */
  constructor(private readonly every = 10) {}

  add(state: TrainingState): void {
    this.sums.loss += state.loss;
    this.sums.gradientNorm += state.gradientNorm;
    this.sums.count++;
    if (state.step % this.every !== 0 && !state.validated && state.step !== state.steps) return;
    const { loss, gradientNorm, count } = this.sums;
    this.states.push({ ...state, loss: loss / count, gradientNorm: gradientNorm / count });
    this.sums = { loss: 0, gradientNorm: 0, count: 0 };
  }

  /** One line for terminals. */
  get text(): string {
    const last = this.states[this.states.length - 1];
    return last ? progressLine(last) : "training";
  }

  /**
   * Figure 3: training and validation loss, and the norm of the gradient, over epochs (or steps, where these are the same) on
   * logarithmic axes; the title tells
   * where the training stands, with a remark. What was turned is marked; below are the fields that were drawn last.
   */
  figure(remark = ""): Figure {
    const x = this.states.map(({ epoch }) => epoch);
    const unit = this.states.every(({ epoch, step }) => epoch === step) ? "step" : "epoch";
    const checked = this.states.filter(({ validated }) => validated);
    const style = (name: string, color: string, digits: number) => ({
      name,
      line: { color, width: 2 },
      hovertemplate: `${name}<br>${unit} %{x:.2~f}: %{y:.${digits}f}<extra></extra>`,
    });
    const loss = line(x, this.states.map((state) => state.loss), style("training loss", colour.fourth, 4)); // prettier-ignore
    const validation = points(
      checked.map(({ epoch }) => epoch),
      checked.map(({ validationLoss }) => validationLoss),
      {
        ...style("validation loss (averaged weights)", colour.third, 4),
        mode: "lines+markers",
        marker: { size: 6, color: colour.third },
      },
    );
    const norms = this.states.map(({ gradientNorm }) => gradientNorm);
    const gradient = line(x, norms, style("gradient norm", colour.fifth, 3));
    const epoch = { x: unit, yType: "log" as const };
    const figure = panels(
      [
        { ...epoch, title: "loss", y: "mean square of v's error", traces: [loss, validation] },
        { ...epoch, title: "gradient", y: "norm before clipping", traces: [gradient] },
        ...(this.preview ? previewPanels(this.preview) : []),
      ],
      {
        width: 860,
        height: this.preview ? 800 : 430,
        columns: 2,
        title: [remark, this.title].filter((part) => part !== "").join(" · "),
        text: this.text,
      },
    );
    // A loss that falls by less than a decade needs more ticks than powers of ten.
    const tickvals = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10];
    const axis = {
      ...(figure.layout["yaxis"] as object),
      tickmode: "array",
      tickvals,
      ticktext: tickvals.map(String),
    };
    return { ...figure, layout: { ...figure.layout, yaxis: axis, ...this.marks(figure) } };
  }

  /** Vertical lines where something was turned, with what to. */
  private marks({ layout }: Figure): Partial<Figure["layout"]> {
    const last = this.states[this.states.length - 1];
    if (!last || last.turned.length === 0) return {};
    const marks = settled(last.turned).map((turn) => ({ turn, x: (turn.step * last.epoch) / last.step }));
    const shapes = marks.flatMap(({ turn, x }) =>
      ["", "2"].map((axis) => ({
        type: "line",
        xref: `x${axis}`,
        yref: `y${axis} domain`,
        x0: x,
        x1: x,
        y0: 0,
        y1: 1,
        line: { color: markOf(turn).hex, width: 1.5, dash: "dot" },
      })),
    );
    const labels = marks.map(({ turn, x }) => ({
      text: `${markOf(turn).name} ${turn.value.toPrecision(2)}`,
      x,
      xref: "x",
      y: 1,
      yref: "y domain",
      xanchor: "right",
      yanchor: "top",
      textangle: -90,
      showarrow: false,
      font: { size: 11, color: markOf(turn).hex },
    }));
    return { shapes, annotations: [...(layout["annotations"] as object[]), ...labels] as never };
  }

  /** Step, loss on held-out conditions and time left or, at the end, taken. */
  private get title(): string {
    const last = this.states[this.states.length - 1];
    if (!last) return "training";
    const { step, steps, validationLoss, secondsElapsed } = last;
    const validation = Number.isNaN(validationLoss) ? "" : ` · validation ${validationLoss.toFixed(3)}`;
    const time = step < steps ? timeLeft(last.secondsLeft, " · ") : ` · took ${duration(secondsElapsed)}`;
    return `step ${step} of ${steps}${validation}${time}`;
  }
}

/** How a turn is marked: settings by their names, a condition of the preview by its symbol. */
function markOf({ name }: Turn): { readonly name: string; readonly hex: string } {
  if (name === "rate") return { name: "rate", hex: colour.grey };
  if (name === "noiseLevel") return { name: "noise", hex: colour.pde };
  return { name: name.replace("previewed", "drawn at"), hex: colour.sgm };
}

/** One panel a field. */
function previewPanels({ conditions: [l, potential, flux], pde, sgm }: Preview): PanelOptions[] {
  const number = (value: number) => String(Number(value.toPrecision(3)));
  const at = `l ${number(1e6 * l)} µm, U₀ ${number(potential)} V, F ${number(flux)} A/m²`;
  return pde.problem.fields.map((field, f) => {
    const { title, factor } = fieldAxis(field);
    const traces = [
      { set: pde, name: "PDE", hex: colour.pde },
      { set: sgm, name: "drawn by the model", hex: colour.sgm },
    ].flatMap(({ set, name, hex }) =>
      Array.from({ length: set.rows }, (_, row) =>
        line(
          micrometres(set),
          rowField(set, row, f).map((value) => factor * value),
          {
            name,
            line: { color: hex, width: 1.5 },
            hovertemplate: `${name}<br>x = %{x:.1f} µm: %{y:.5~g}<extra></extra>`,
          },
        ),
      ),
    );
    return { title: `${field.symbol} at ${at}`, x: "x (µm)", y: title, traces };
  });
}

/** Validation losses of several trainings over their steps. */
export function validationFigure(
  runs: readonly { readonly name: string; readonly states: readonly TrainingState[]; readonly hex: string }[],
): Figure {
  const traces = runs.map(({ name, states, hex }) =>
    line(
      states.map(({ step }) => step),
      states.map(({ validationLoss }) => validationLoss),
      {
        name,
        line: { color: hex, width: 2.5 },
        hovertemplate: `${name}<br>step %{x}: %{y:.4f}<extra></extra>`,
      },
    ),
  );
  const panel = { x: "step", y: "validation loss", traces };
  return panels([panel], { width: 760, height: 400, text: "Validation losses" });
}

/** A training's state in one line. */
function progressLine(state: TrainingState): string {
  const { step, steps, loss, gradientNorm, validationLoss, secondsLeft } = state;
  const validation = Number.isNaN(validationLoss) ? "" : `, validation ${validationLoss.toFixed(4)}`;
  return `step ${step}/${steps}, loss ${loss.toFixed(4)}, gradient ${gradientNorm.toFixed(3)}${validation}${timeLeft(secondsLeft)}`;
}
