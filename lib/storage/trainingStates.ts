/** Which states of a training are kept, when, and how it goes on from one. */
import { InputError, shown } from "../errors";
import type { Training } from "../training";
import { type Checkpoint, CheckpointFolder, checkSame, type Fingerprint } from "./checkpoint";

export type Divergence = "stop" | "step-back";

export interface CheckpointOptions {
  /** Where states are kept: the last three, and that of the smallest validation loss (see CheckpointFolder). */
  readonly folder: string;
  /** Go on from the newest state, if there is one. Settings, data, length and seed must be the same. */
  readonly resume?: boolean;
  /** A state is kept every so many seconds (300), and when the training ends in whichever way but by diverging. */
  readonly everySeconds?: number;
  /** A state is kept every so many steps, too. */
  readonly everySteps?: number;
}

export interface StateOptions {
  readonly checkpoint?: CheckpointOptions;
  /**
   * What to do when the loss is not finite or a hundred times the usual: "stop" (default), or "step-back" to the last good
   * state and go on at half the rate, five times at most.
   */
  readonly divergence?: Divergence;
  /** Gets a sentence when a damaged state was passed over, when a training goes on, and when it steps back. */
  readonly note?: (sentence: string) => void;
}

const MOST_ROLLBACKS = 5;

/** The states of one training: on disk where it is to be resumed, in memory the one to step back to. */
export class TrainingStates {
  private readonly folder: CheckpointFolder | undefined;
  private good: Checkpoint | undefined;
  private bestLoss = Infinity;
  private backwards = 0;
  private kept = performance.now();
  private worthKeeping = false;

  /**
   * fingerprint: what must be the same to go on; start: of the training, on the clock of performance.now(). Takes the
   * folder: call close() in the end. Throws InputError if another training has it, or if it cannot be written.
   */
  constructor(
    private readonly training: Training,
    private readonly fingerprint: Fingerprint,
    private readonly options: StateOptions,
    private start: number,
  ) {
    if (options.checkpoint) this.folder = new CheckpointFolder(options.checkpoint.folder);
  }

  /** Spent on the training, s, over all runs. */
  get seconds(): number {
    return (performance.now() - this.start) / 1000;
  }

  /** How often the training has stepped back. */
  get rollbacks(): number {
    return this.backwards;
  }

  /** Goes on from the newest state, if there is one. Throws InputError if that may not be. */
  begin(): void {
    const { checkpoint, note = () => undefined } = this.options;
    const found = this.folder?.newest(note);
    if (this.folder && found) {
      const { folder } = this.folder;
      if (!checkpoint?.resume) {
        throw new InputError(
          `${shown(folder)} holds the states of a training; resume it, or give another folder to start anew.`,
        );
      }
      checkSame(folder, found.fingerprint, this.fingerprint);
      note(`The training goes on after step ${found.step}.`);
      this.restore(found);
      this.bestLoss = found.bestLoss;
      this.backwards = found.setbacks;
      this.start -= 1000 * found.seconds;
    }
    if (this.stepsBack) this.good = this.now();
    this.kept = performance.now();
    this.worthKeeping = true;
  }

  /** Goes back to the last good state; false where there is none, or where that was done often enough. */
  rollBack(): boolean {
    if (!this.good || this.backwards === MOST_ROLLBACKS) {
      this.worthKeeping = false;
      return false;
    }
    this.backwards++;
    this.restore(this.good);
    return true;
  }

  /** Keeps the present state as the best, if its validation loss is the smallest. */
  validated(loss: number): void {
    if (!(loss < this.bestLoss)) return;
    this.bestLoss = loss;
    this.folder?.keepBest(this.now());
  }

  /** Keeps the present state if it is time to. */
  keepInTime(): void {
    const { everySeconds = 300, everySteps = Infinity } = this.options.checkpoint ?? {};
    if (performance.now() - this.kept > 1000 * everySeconds || this.training.steps % everySteps === 0)
      this.keep();
  }

  /** Keeps the last state, unless the training has diverged, and gives the folder free. */
  close(): void {
    const { steps } = this.training;
    try {
      if (this.worthKeeping && steps > 0 && this.folder && this.folder.steps[0] !== steps) this.keep();
    } finally {
      this.folder?.close();
    }
  }

  private keep(): void {
    const state = this.now();
    if (this.stepsBack) this.good = state;
    this.folder?.keep(state);
    this.kept = performance.now();
  }

  private now(): Checkpoint {
    const { fingerprint, seconds, bestLoss, rollbacks, training } = this;
    const { steps, optimiser } = training;
    return { fingerprint, step: steps, seconds, bestLoss, setbacks: rollbacks, vectors: optimiser.vectors() };
  }

  private restore({ vectors, step }: Checkpoint): void {
    this.training.optimiser.restore(vectors, step);
    this.training.steps = step;
  }

  private get stepsBack(): boolean {
    return this.options.divergence === "step-back";
  }
}
