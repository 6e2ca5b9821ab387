/**
 * What shows the controls of a notebook: one small interface, which the kernel serves (scripts/kernel/comms.js), and which a
 * kernel inside of a browser can serve as well. Names and members of widgets are those of ipywidgets.
 */

/** One widget of the front end. */
export interface Widget {
  /** What the front end was told or has told last. */
  readonly state: { readonly [member: string]: unknown };
  set(state: object): void;
  /** The listener gets what has changed, and how often a button was pressed. */
  listen(listener: (changes: { [member: string]: unknown }, clicks: number) => unknown): void;
  /** Shows it below the cell that made it; `text` is for viewers without widgets. */
  show(text: string): void;
}

export interface Host {
  /** Whether what a cell makes now is seen by somebody. */
  present(): boolean;
  create(name: string, state: object): Widget;
  /** Calls `listener` when the user stops the running cell. Returns what ends this. */
  onInterrupt(listener: () => void): () => void;
}

/** The host, where there is a person before it. */
export function host(): Host | undefined {
  const found = (globalThis as { [key: symbol]: unknown })[Symbol.for("porous-sgm.widgets")] as
    Host | undefined;
  return found?.present() ? found : undefined;
}
