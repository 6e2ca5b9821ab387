/** What every live control is: a value that a widget of the front end holds, listeners, and a line of text where there is none. */
import { InputError, shown } from "../backend/errors";
import { Interrupted } from "../backend/interrupt";
import { showText } from "../figures/show";
import { host, type Host, type Widget } from "./host";

/** What is shown below a cell: a control, or a row or column of them. */
export abstract class Shown {
  /** @internal */
  readonly widget: Widget | undefined;
  /** @internal */
  protected readonly host = host();
  private placed = false;

  constructor(make: (host: Host) => Widget) {
    this.widget = this.host && make(this.host);
    // After the statements that may put it into a row.
    queueMicrotask(() => {
      if (this.placed) return;
      if (this.widget) this.widget.show(this.text);
      else if (this.text) showText(this.text);
    });
  }

  /** What stands for it where there are no widgets. @internal */
  abstract readonly text: string;

  /** Marks it as shown by what it is in. @internal */
  place(): this {
    this.placed = true;
    return this;
  }
}

/** How a value is kept by a widget: its member, and the way there and back (undefined for what is no value). */
export interface Form<T> {
  readonly member: string;
  readonly into: (value: T) => unknown;
  readonly from: (raw: unknown) => T | undefined;
}

/** A slider, a choice, a switch or a button. */
export class Control<T> extends Shown {
  private readonly listeners = new Set<(value: T) => unknown>();
  private current: T;
  private readonly isButton: boolean;

  /** @internal */
  constructor(
    /** What it is called, with its unit. */
    readonly label: string,
    value: T,
    private readonly form: Form<T>,
    name: string,
    state: object,
  ) {
    super(({ create }) => {
      const style = create(name.includes("Slider") ? "SliderStyle" : "DescriptionStyle", {
        description_width: "initial",
      });
      const layout = create("Layout", { width: name.includes("Slider") ? "26em" : null });
      const start = { description: label, layout, ...state };
      return create(name, name === "Button" ? start : { ...start, style, [form.member]: form.into(value) });
    });
    this.isButton = name === "Button";
    this.current = value;
    this.widget?.listen((changes, clicks) => {
      if (clicks > 0) return this.change(form.from(clicks + Number(this.current)));
      return form.member in changes ? this.change(form.from(changes[form.member])) : undefined;
    });
  }

  /** What it stands at; what is written here shows at once, and listeners hear of it. */
  get value(): T {
    // Newer than what listeners have been told.
    return this.form.from(this.widget?.state[this.form.member]) ?? this.current;
  }
  set value(value: T) {
    const raw = this.form.into(value);
    const allowed = this.form.from(raw);
    if (allowed === undefined)
      throw new InputError(`${this.label} cannot be ${shown(value)}; give a value of its range.`);
    this.widget?.set({ [this.form.member]: raw });
    void this.change(allowed);
  }

  get text(): string {
    // A button that cannot be pressed says nothing.
    return this.label === "" || this.isButton ? "" : `${this.label}: ${String(this.value)}`;
  }

  private async change(value: T | undefined): Promise<void> {
    if (value === undefined || value === this.current) return;
    this.current = value;
    for (const listener of [...this.listeners]) await listener(value);
  }

  /**
   * Calls `listener` with each new value; while it is awaited, only the newest is kept. What it prints, and how it fails, is shown
   * below the cell that made the control. {@link offChange} ends this.
   */
  onChange(listener: (value: T) => unknown): void {
    this.listeners.add(listener);
  }

  /** Calls this listener no more. */
  offChange(listener: (value: T) => unknown): void {
    this.listeners.delete(listener);
  }

  /**
   * The value now, then each new one; of those that come while the loop is busy, the newest. The stop button ends the loop with
   * an error of the name Interrupted. Where nobody can turn the control, the loop runs once.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    let seen = this.current;
    yield seen;
    if (!this.widget) return;
    let wake = () => {};
    const woken = () => wake();
    let stopped = false;
    const stop = () => {
      stopped = true;
      wake();
    };
    this.onChange(woken);
    const end = this.host?.onInterrupt(stop);
    try {
      for (;;) {
        if (stopped) throw new Interrupted("Interrupted.");
        if (seen === this.current) await new Promise<void>((resolve) => (wake = resolve));
        else yield (seen = this.current);
      }
    } finally {
      this.offChange(woken);
      end?.();
    }
  }
}

/** Controls beside or below one another. */
export class Box extends Shown {
  constructor(
    private readonly name: "HBox" | "VBox",
    private readonly children: readonly Shown[],
  ) {
    super(({ create }) => {
      // What does not fit beside the others goes below them.
      const layout = name === "HBox" ? { layout: create("Layout", { flex_flow: "row wrap" }) } : {};
      return create(name, { children: children.flatMap(({ widget }) => widget ?? []), ...layout });
    });
    for (const child of children) child.place();
  }

  get text(): string {
    const texts = this.children.map(({ text }) => text).filter((text) => text !== "");
    return texts.join(this.name === "HBox" ? ", " : "\n");
  }
}
