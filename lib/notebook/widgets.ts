/**
 * Live controls: sliders, buttons and more below a cell, which call TypeScript, also while a cell runs.
 *
 *     const rate = logSlider({ label: "learning rate", min: 1e-5, max: 1e-2, value: 2e-3 });
 *     rate.value; // what it stands at now
 *     rate.onChange((value) => console.log(value)); // prints below the cell that made the slider
 *     for await (const value of rate) await draw(value); // the value now, then each new one
 *
 * A control shows itself below the cell that makes it, or where row() or column() puts it. Where nobody can turn it (npm run
 * figures, nbconvert, plain Node) it is a constant, shown as a line of text.
 */
import { finite, finiteInRange, InputError, integerInRange, shown } from "../backend/errors";
import type { Figure } from "../figures/figure";
import { LiveFigure } from "../figures/show";
import { Box, Control, type Form, type Shown } from "./control";

export type { Control };

interface Named {
  /** What stands beside the control. */
  label: string;
  /** Unit of the value, which is added to the label. */
  unit?: string;
}
interface Range extends Named {
  min: number;
  max: number;
  /** What it stands at first; default `min`. */
  value?: number;
  /** Distance of two positions. */
  step?: number;
}

const labelOf = ({ label, unit }: Named) => (unit ? `${label} (${unit})` : label);
/** Front ends go there and back through logarithms: the last digits of what nobody has turned are no change. */
const inRange = (min: number, max: number) => (raw: unknown) =>
  typeof raw === "number" && raw >= min && raw <= max
    ? Math.min(max, Math.max(min, Number(raw.toPrecision(12))))
    : undefined;
const itself = <T>(value: T): T => value;

/** A control of numbers from `min` to `max`. Throws InputError where the range is none or the value is outside. */
function ranged(name: string, options: Range, step: number, state: object = {}): Control<number> {
  const { min, max } = options;
  const label = labelOf(options);
  finite(`max of ${label}`, max);
  if (!(finite(`min of ${label}`, min) < max))
    throw new InputError(`The range of ${label} is ${min} to ${max}; give a min below max.`);
  const value = finiteInRange(`value of ${label}`, options.value ?? min, min, max, options.unit);
  if (!(step > 0)) throw new InputError(`step of ${label} is ${step}; give a positive number.`);
  const form: Form<number> = { member: "value", into: itself, from: inRange(min, max) };
  return new Control(label, value, form, name, { min, max, step, ...state });
}

/**
 * About the usual step, so that `value` (if it is half a step from `min`) is a whole number of steps from there: a front end
 * moves a value that is not, which would count as turned.
 */
const stepTo = (min: number, value: number, usual: number): number => {
  const steps = Math.round((value - min) / usual);
  return steps > 0 ? (value - min) / steps : usual;
};

/** A slider of numbers from `min` to `max`, in steps of about a hundredth of the range by default. */
export function slider(options: Range): Control<number> {
  const { min, max, value = min } = options;
  const step = options.step ?? stepTo(min, value, (max - min) / 100);
  return ranged("FloatSlider", options, step, { readout_format: ".4~g" });
}

/**
 * A slider over orders of magnitude, from `min` to `max`, both positive; `step` is one of the decimal logarithm, about 0.02 by default.
 */
export function logSlider(options: Range): Control<number> {
  const { min, max, value = min } = options;
  if (!(min > 0)) throw new InputError(`min of ${labelOf(options)} is ${min}; give a positive number.`);
  const exponents = { min: Math.log10(min), max: Math.log10(max), base: 10, readout_format: ".3~g" };
  const step = options.step ?? stepTo(exponents.min, Math.log10(value), 0.02);
  return ranged("FloatLogSlider", options, step, exponents);
}

/** Whole numbers only. */
function whole(options: Range): Range {
  for (const key of ["min", "max", "value", "step"] as const)
    if (options[key] !== undefined)
      integerInRange(
        `${key} of ${labelOf(options)}`,
        options[key],
        -Number.MAX_SAFE_INTEGER,
        Number.MAX_SAFE_INTEGER,
      );
  return options;
}

/** A slider of whole numbers from `min` to `max`. */
export function integer(options: Range): Control<number> {
  return ranged("IntSlider", whole(options), options.step ?? 1);
}

/** Counts from `min` to `max` by itself once started, a step each `interval` milliseconds (default 200), with pause and stop. */
export function play(options: Range & { interval?: number }): Control<number> {
  const { step = 1, interval = 200 } = options;
  return ranged("Play", whole(options), step, { interval });
}

/** One of several options; the first where `value` is not given. Throws InputError for a value that is none of them. */
export function choice<T extends string | number>(
  options: Named & { options: readonly T[]; value?: T },
): Control<T> {
  const { options: all, value = all[0] } = options;
  const label = labelOf(options);
  if (!all.includes(value))
    throw new InputError(`value of ${label} is ${shown(value)}; give one of ${all.map(String).join(", ")}.`);
  const form = {
    member: "index",
    into: (one: T) => all.indexOf(one),
    from: (raw: unknown) => all[Number(raw)],
  };
  return new Control<T>(label, value, form, "Dropdown", { _options_labels: all.map(String) });
}

/** A switch, off by default. */
export function toggle(options: Named & { value?: boolean }): Control<boolean> {
  const from = (raw: unknown) => (typeof raw === "boolean" ? raw : undefined);
  const form = { member: "value", into: itself, from };
  return new Control<boolean>(labelOf(options), options.value ?? false, form, "Checkbox", { indent: false });
}

/** A button; its value is how often it was pressed. */
export function button(options: { label: string }): Control<number> {
  const form: Form<number> = { member: "pressed", into: itself, from: inRange(0, Infinity) };
  return new Control(options.label, 0, form, "Button", {});
}

/** Shows controls beside one another. */
export function row(...children: readonly Shown[]): Box {
  return new Box("HBox", children);
}

/** Shows controls below one another. */
export function column(...children: readonly Shown[]): Box {
  return new Box("VBox", children);
}

type Values<C> = { [K in keyof C]: C[K] extends Control<infer T> ? T : never };

/**
 * A figure that follows its controls: `draw` gets their values by name, at first and after each change; while it draws, only
 * the newest are kept. The picture for viewers without Plotly is drawn again when the controls have rested for a second.
 */
export async function live<C extends { readonly [name: string]: Control<never> | Control<any> }>( // eslint-disable-line @typescript-eslint/no-explicit-any
  draw: (values: Values<C>) => Figure | Promise<Figure>,
  controls: C,
): Promise<void> {
  const values = () =>
    Object.fromEntries(
      Object.entries(controls).map(([name, { value }]) => [name, value as unknown]),
    ) as Values<C>;
  const view = new LiveFigure(0);
  await view.finish(await draw(values()));
  let drawing = false;
  let changed = false;
  let rest: ReturnType<typeof setTimeout> | undefined;
  const follow = async () => {
    changed = true;
    if (drawing) return;
    drawing = true;
    clearTimeout(rest);
    try {
      while (changed) {
        changed = false;
        const figure = await draw(values());
        view.update(() => figure);
        rest = setTimeout(() => void view.finish(figure), 1000);
      }
    } finally {
      drawing = false;
    }
  };
  for (const control of Object.values(controls)) control.onChange(follow);
}
