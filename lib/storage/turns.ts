/** Settings that are turned while a training runs, and the account of it, which is a part of the training's state. */
import { finiteInRange, InputError } from "../backend/errors";
import { PREFERRED_LEVEL, type StepSettings } from "../training";

/** What may be turned. */
export interface Turnable {
  /** Adam's first learning rate; its last one is scaled with it, so that the cosine keeps its shape. */
  readonly rate: number;
  /** Middle of the noise levels of which batches see more; where noise is drawn by its level. */
  readonly noiseLevel: number;
}

/** A condition of the fields that are drawn meanwhile, by its name. */
type Previewed = `previewed ${string}`;

/** That a setting, or a condition of what is drawn meanwhile, has this value from one step on: the one after so many. */
export interface Turn {
  readonly step: number;
  readonly name: keyof Turnable | Previewed;
  readonly value: number;
}

/** What those who steer a training ask for before each of its steps; what is left out stays as it is. */
export interface Steering extends Partial<Turnable> {
  /** Conditions of fields that are drawn meanwhile, by name, in their units: the training only keeps account of them. */
  readonly previewed?: Readonly<Record<string, number>>;
  /** Waits, and asks again soon. */
  readonly pause?: boolean;
}

const NAMES = { rate: "learning rate", noiseLevel: "noise level of the batches" } as const;
const RANGES = { rate: [1e-9, 1], noiseLevel: [1e-3, 1e3] } as const;
/** Of a slider that is dragged, positions that are this many steps apart or nearer are on its way to the last of them. */
const ON_THE_WAY = 20;

function isSetting(name: string): name is keyof Turnable {
  return name in NAMES;
}

/** Throws InputError for a value out of range. */
function checkTurn({ name, value }: Turn): void {
  const [low, high] = isSetting(name) ? RANGES[name] : [-Infinity, Infinity];
  finiteInRange(`The ${inWords(name)}`, value, low, high);
}

function inWords(name: Turn["name"]): string {
  return isSetting(name) ? NAMES[name] : `preview's ${name.slice("previewed ".length)}`;
}

/** What is in force at the present step, and how it came about. */
export class Turns {
  constructor(
    private readonly settings: StepSettings,
    private turns: readonly Turn[] = [],
  ) {}

  /** All turns so far, in order. */
  get list(): readonly Turn[] {
    return this.turns;
  }

  /** Factor of the preset's learning rate. */
  get rateFactor(): number {
    return this.inForce("rate") / this.settings.rate;
  }

  /** Middle of the noise levels of which batches see more. */
  get noiseLevel(): number {
    return this.inForce("noiseLevel");
  }

  /** Takes what is asked for, as what holds after so many steps. Throws InputError for what cannot be. */
  take(step: number, { rate, noiseLevel, previewed = {} }: Steering): void {
    const drawn = Object.entries(previewed).map(([name, value]) => [`previewed ${name}`, value] as const);
    for (const [name, value] of [["rate", rate], ["noiseLevel", noiseLevel], ...drawn] as const) {
      if (value === undefined || value === this.inForce(name)) continue;
      checkTurn({ step, name, value });
      if (name === "noiseLevel" && this.settings.noise !== "log-noise-level")
        throw new InputError(
          `The noise of this training is drawn as "${this.settings.noise}"; only with "log-noise-level" can its level be turned.`,
        );
      this.turns = [...this.turns, { step, name, value }];
    }
  }

  private inForce(name: keyof Turnable): number;
  private inForce(name: Turn["name"]): number | undefined;
  private inForce(name: Turn["name"]): number | undefined {
    const turns = this.turns.filter((turn) => turn.name === name);
    if (turns.length > 0) return turns[turns.length - 1].value;
    return { rate: this.settings.rate, noiseLevel: PREFERRED_LEVEL }[name as keyof Turnable];
  }
}

/** The turns without those on the way of a slider that was dragged. */
export function settled(turns: readonly Turn[]): Turn[] {
  return turns.filter((turn, i) => {
    const next = turns.slice(i + 1).find(({ name }) => name === turn.name);
    return next === undefined || next.step - turn.step > ON_THE_WAY;
  });
}

/** A turn in words. */
export function turnText({ step, name, value }: Turn): string {
  return `${inWords(name)} ${Number(value.toPrecision(3))} after step ${step}`;
}

/** What a file says of turns. Throws an Error of any kind if it is none that this writes. */
export function turnsFrom(stored: unknown): Turn[] {
  return (stored as Turn[]).map(({ step, name, value }) => {
    if (!(Number.isSafeInteger(step) && step >= 0 && (isSetting(name) || name.startsWith("previewed "))))
      throw new Error("It makes no sense.");
    checkTurn({ step, name, value });
    return { step, name, value };
  });
}
