import type { TrainingState } from "../training/train";
import { colour, type Figure, line, panels, points } from "./figure";

/** What Figure 3 needs of a training: the states so far, thinned so that a long one stays small. */
export class TrainingHistory {
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

  /** Figure 3: training loss, gradient norm and validation loss over epochs, on logarithmic axes. */
  figure(): Figure {
    const x = this.states.map(({ epoch }) => epoch);
    const checked = this.states.filter(({ validated }) => validated);
    const style = (color: string) => ({ line: { color, width: 2 } });
    const traces = [
      line(
        x,
        this.states.map(({ loss }) => loss),
        { name: "training loss", ...style(colour.pde) },
      ),
      line(
        x,
        this.states.map(({ gradientNorm }) => gradientNorm),
        { name: "gradient norm", ...style(colour.fifth) },
      ),
      points(
        checked.map(({ epoch }) => epoch),
        checked.map(({ validationLoss }) => validationLoss),
        {
          name: "validation loss (averaged weights)",
          mode: "lines+markers",
          ...style(colour.third),
          marker: { size: 6, color: colour.third },
        },
      ),
    ];
    const panel = { x: "epoch", y: "loss, norm of the gradient", yType: "log" as const, traces };
    return panels([panel], { width: 760, height: 430, text: this.text });
  }
}

/** A training's state in one line. */
export function progressLine(state: TrainingState): string {
  const { step, steps, loss, gradientNorm, validationLoss, secondsLeft } = state;
  const validation = Number.isNaN(validationLoss) ? "" : `, validation ${validationLoss.toFixed(4)}`;
  return `step ${step}/${steps}, loss ${loss.toFixed(4)}, gradient ${gradientNorm.toFixed(3)}${validation}, ${timeLeft(secondsLeft)} left`;
}

/** Seconds as people say them: "40 s", "3.5 min", "2.1 h". */
export function timeLeft(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
