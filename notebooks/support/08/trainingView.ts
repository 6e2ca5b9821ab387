/** Figure 3 while the training runs, under controls that the training hears before its next step. */
import type { StepSettings } from "../../../lib/training";
import { PREFERRED_LEVEL } from "../../../lib/training";
import type { ScoreModel } from "../../../lib/scoreModel";
import { LiveFigure } from "../../../lib/figures/show";
import { button, column, type Control, logSlider, row, slider } from "../../../lib/notebook/widgets";
import { simulateAt } from "../../../lib/presets/simulate";
import { sampleFields } from "../../../lib/storage/samplingRun";
import type { TrainingState } from "../../../lib/storage/trainingRun";
import { settled, type Steering, type Turn, turnText } from "../../../lib/storage/turns";
import { TrainingHistory } from "./trainingFigure";

/** Fields that are drawn beside as many of the PDE, with at most so many steps of the sampler. */
const PREVIEW = { count: 4, steps: 16, seed: 7 };
/** ms from one preview to the next: at one condition, and where it was turned. */
const EVERY = { same: 10_000, turned: 500 };
/** ms from one picture of the curves to the next. */
const PICTURE = 500;

/** A slider that stands for a setting: the training hears of it once a person has turned it. */
class Knob {
  private turned = false;
  private untouched: number;

  constructor(readonly control: Control<number>) {
    this.untouched = control.value;
  }

  /** What is asked for; undefined as long as nobody has turned it. */
  get wanted(): number | undefined {
    this.turned ||= this.control.value !== this.untouched;
    return this.turned ? this.control.value : undefined;
  }

  /** Shows what an earlier run has turned it to. */
  follow(value: number): void {
    if (this.wanted !== undefined) return;
    this.control.value = value;
    this.untouched = value;
  }
}

/**
 * What a training shows and what can be turned: learning rate, noise levels of the batches (where they are drawn by level), the
 * condition (l in m, U0 in V, F in A/m2) of a few fields that are drawn now and then beside the PDE's, and three buttons.
 * Where nobody can turn them, fields are drawn at the end only.
 */
export class TrainingView {
  /** Whether the button was pressed that ends the training and keeps its model. */
  stopped = false;
  private readonly history = new TrainingHistory();
  private readonly live = new LiveFigure(0);
  private readonly knobs: { readonly rate: Knob; readonly noiseLevel?: Knob };
  private readonly preview: readonly Knob[];
  private readonly seen: boolean;
  private paused = false;
  private shown = { time: -Infinity, paused: false };
  private last: TrainingState | undefined;
  private drawn = { at: "", time: -Infinity };

  constructor(
    private readonly model: ScoreModel,
    settings: StepSettings,
    condition: readonly number[],
  ) {
    const { rate } = settings;
    const rates = { label: "learning rate", min: rate / 100, max: 10 * rate, value: rate };
    const ends = { min: PREFERRED_LEVEL / 10, max: 10 * PREFERRED_LEVEL, value: PREFERRED_LEVEL };
    const levels = { label: "noise level of the batches", ...ends };
    const byLevel = settings.noise === "log-noise-level";
    this.knobs = {
      rate: new Knob(logSlider(rates)),
      ...(byLevel ? { noiseLevel: new Knob(logSlider(levels)) } : {}),
    };
    const [l, potential, flux] = condition;
    this.preview = [
      logSlider({ label: "drawn at l", unit: "m", min: 2e-6, max: 2e-5, value: l }),
      slider({ label: "U₀", unit: "V", min: -0.2, max: 0.2, value: potential }),
      slider({ label: "F", unit: "A/m²", min: 0, max: 50, value: flux }),
    ].map((control) => new Knob(control));
    const [pause, goOn, stop] = ["pause", "go on", "stop and keep"].map((label) => button({ label }));
    pause.onChange(() => (this.paused = true));
    goOn.onChange(() => (this.paused = false));
    stop.onChange(() => {
      this.stopped = true;
      this.paused = false;
    });
    const controls = (knobs: readonly Knob[]) => row(...knobs.map(({ control }) => control));
    const all = column(controls(Object.values(this.knobs)), controls(this.preview), row(pause, goOn, stop));
    this.seen = all.widget !== undefined;
  }

  /** What the training asks before each step, and during a pause. */
  readonly steer = async (): Promise<Steering> => {
    const { rate, noiseLevel } = this.knobs;
    // The pause itself shows at once, and so does what is turned in it.
    if (this.paused && this.last && ((await this.drawPreview()) || !this.shown.paused)) this.update();
    const wanted = this.preview.map(
      (knob, i) => [this.model.problem.conditions[i].name, knob.wanted] as const,
    );
    const turned = wanted.filter((pair): pair is [string, number] => pair[1] !== undefined);
    const previewed = Object.fromEntries(turned);
    return { rate: rate.wanted, noiseLevel: noiseLevel?.wanted, previewed, pause: this.paused };
  };

  /** Takes a step of the training, and shows it. */
  async add(state: TrainingState): Promise<void> {
    if (!this.last) for (const { name, value } of state.turned) this.knob(name)?.follow(value); // in an earlier run
    this.last = state;
    this.history.add(state);
    if (this.seen) await this.drawPreview();
    if (performance.now() - this.shown.time > PICTURE) this.update();
  }

  /** The last state, with a picture. */
  async finish(): Promise<void> {
    this.drawn.at = ""; // the weights are others now
    await this.drawPreview();
    await this.live.finish(this.history.figure());
  }

  /** What the model's files are to tell: steps that were taken, and what was turned. */
  get told(): { readonly steps: number; readonly turned?: string } {
    const { step = 0, turned = [] } = this.last ?? {};
    return turned.length === 0
      ? { steps: step }
      : { steps: step, turned: settled(turned).map(turnText).join(", ") };
  }

  private knob(name: Turn["name"]): Knob | undefined {
    if (name === "rate" || name === "noiseLevel") return this.knobs[name];
    return this.preview[this.model.problem.conditions.findIndex((one) => name === `previewed ${one.name}`)];
  }

  private update(): void {
    this.live.update(() => this.history.figure(this.paused ? "paused" : ""));
    this.shown = { time: performance.now(), paused: this.paused };
  }

  /** Draws fields at the condition of the sliders if it is time to; whether it was. */
  private async drawPreview(): Promise<boolean> {
    const conditions = this.preview.map(({ control }) => control.value);
    const at = conditions.join();
    const age = performance.now() - this.drawn.time;
    if (age < (at === this.drawn.at ? EVERY.same : EVERY.turned)) return false;
    const { model } = this;
    const steps = Math.min(PREVIEW.steps, model.sampler.defaultSteps);
    this.history.preview = {
      conditions,
      pde: simulateAt(model.problem, conditions, PREVIEW.count, PREVIEW.seed),
      sgm: await sampleFields(model, conditions, { ...PREVIEW, steps }),
    };
    this.drawn = { at, time: performance.now() };
    return true;
  }
}
