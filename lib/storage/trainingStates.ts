/** Which states of a training are kept, when, and how it goes on from one. */
import { InputError, shown } from "../backend/errors";
import type { Training } from "../training";
import type { TrainingSettings } from "../presets/presets";
import { type Checkpoint, CheckpointFolder, checkSame, type Fingerprint } from "./checkpoint";
import { fileError } from "./files";
import { settled, turnText, Turns } from "./turns";

export type Divergence = "stop" | "step-back";

export interface CheckpointOptions {
  /** Where states are kept: the last three, and that of the smallest validation loss (see CheckpointFolder). */
  readonly folder: string;
  /**
   * Go on from the newest state, if there is one. Settings, data and seed must be the same, and the length too, unless the
   * training is complete: then it may be longer, and the rate of the steps to come is that of a training of the new length.
   */
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

/** Thrown where a state cannot be kept any more: what the model has learned by then is as good as before. */
export class StatesLost extends InputError {
  constructor(
    message: string,
    readonly steps: number,
    cause: unknown,
  ) {
    super(message, { cause });
  }
}

const MOST_ROLLBACKS = 5;

/** The length of a training: so many steps or, without them, seconds. */
export interface TrainingSpan {
  readonly steps?: number;
  readonly seconds: number;
}

/** Throws InputError if a training of this fingerprint could not begin with the states that are in a folder, or keep its own there. */
export function checkStates(options: CheckpointOptions, fingerprint: Fingerprint): void {
  const folder = new CheckpointFolder(options.folder);
  try {
    stateToGoOnFrom(folder, options, fingerprint, () => undefined);
  } finally {
    folder.close();
  }
}

/** The newest state, if there is one. Throws InputError if a training of this fingerprint may not go on from it. */
function stateToGoOnFrom(
  states: CheckpointFolder,
  { resume }: CheckpointOptions,
  fingerprint: Fingerprint,
  note: (sentence: string) => void,
): Checkpoint | undefined {
  const { folder } = states;
  const found = states.newest(note);
  if (!found) return undefined;
  if (!resume) {
    throw new InputError(
      `${shown(folder)} holds the states of a training; resume it, or give another folder to start anew.`,
    );
  }
  const [before, now] = [found.fingerprint, fingerprint].map(({ length }) => spanIn(length));
  const complete = found.step >= (before.steps ?? Infinity) || found.seconds >= before.seconds;
  checkSame(
    folder,
    found.fingerprint,
    complete ? { ...fingerprint, length: found.fingerprint.length } : fingerprint,
  );
  if (!complete || fingerprint.length === found.fingerprint.length) return found;
  if (found.step >= (now.steps ?? Infinity) || found.seconds >= now.seconds) {
    throw new InputError(
      `The training in ${shown(folder)} is complete, after ${found.step} steps; give a greater length to prolong it.`,
    );
  }
  note(
    `The complete training of ${found.step} steps is prolonged: the learning rate is that of a training of the new length.`,
  );
  return found;
}

/** What a fingerprint says of the length; an infinite number of seconds is null in JSON. */
function spanIn(length: string | undefined): TrainingSpan {
  try {
    const { steps, seconds } = JSON.parse(length ?? "") as Partial<TrainingSpan>;
    return { steps, seconds: seconds ?? Infinity };
  } catch {
    return { seconds: Infinity }; // of a file that was made by somebody else
  }
}

/** The states of one training: on disk where it is to be resumed, in memory the one to step back to. */
export class TrainingStates {
  /** What was turned so far. */
  turns: Turns;
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
    private readonly settings: TrainingSettings,
    private readonly fingerprint: Fingerprint,
    private readonly options: StateOptions,
    private start: number,
  ) {
    this.turns = new Turns(settings);
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
    const found = this.folder && stateToGoOnFrom(this.folder, checkpoint!, this.fingerprint, note);
    if (found) {
      const turned = settled(found.turned ?? [])
        .map(turnText)
        .join(", ");
      note(`The training goes on after step ${found.step}${turned && `, as it was turned: ${turned}`}.`);
      this.restore(found);
      this.bestLoss = found.bestLoss;
      this.backwards = found.rollbacks;
      this.start -= 1000 * found.seconds;
    }
    if (this.stepsBack) this.good = this.now();
    this.kept = performance.now();
    this.worthKeeping = true;
  }

  /** Leaves out a pause of so many ms, which just ended. */
  paused(milliseconds: number): void {
    this.start += milliseconds;
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
    this.inFolder((folder) => folder.keepBest(this.now()));
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
      if (this.worthKeeping && steps > 0)
        this.inFolder((folder) => folder.steps[0] !== steps && folder.keep(this.now()));
    } finally {
      this.folder?.close();
    }
  }

  private keep(): void {
    const state = this.now();
    if (this.stepsBack) this.good = state;
    this.inFolder((folder) => folder.keep(state));
    this.kept = performance.now();
  }

  /** Does something in the folder, if there is one. Throws StatesLost where that fails. */
  private inFolder(act: (folder: CheckpointFolder) => void): void {
    if (!this.folder) return;
    try {
      act(this.folder);
    } catch (error) {
      const told = fileError("write", this.folder.folder, error);
      throw told instanceof InputError ? new StatesLost(told.message, this.training.steps, error) : told;
    }
  }

  private now(): Checkpoint {
    const { fingerprint, seconds, bestLoss, rollbacks, training } = this;
    const { steps, optimiser } = training;
    const turned = this.turns.list;
    return { fingerprint, step: steps, seconds, bestLoss, rollbacks, turned, vectors: optimiser.vectors() };
  }

  private restore({ vectors, step, turned }: Checkpoint): void {
    this.turns = new Turns(this.settings, turned ?? []);
    this.training.optimiser.restore(vectors, step);
    this.training.steps = step;
  }

  private get stepsBack(): boolean {
    return this.options.divergence === "step-back";
  }
}
