/** Stopping long asynchronous work when the user, or the program that started it, asks for it. */

/** Thrown inside interrupted work, so that nothing after it in the same cell runs. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Long work that yields wherever it may be stopped. */
export type Stoppable<T> = Generator<void, T, void>;

/** Does all of some work at once; what it yields on the way is left. */
export function finish<T>(work: Iterator<unknown, T, void>): T {
  for (;;) {
    const next = work.next();
    if (next.done) return next.value;
  }
}

/** Does some work, and lets signals and messages in wherever it yields. */
export async function finishWithPauses<T>(work: Stoppable<T>, pause: () => Promise<void> = turn): Promise<T> {
  try {
    for (;;) {
      const next = work.next();
      if (next.done) return next.value;
      await pause();
    }
  } finally {
    work.return(undefined as never); // frees what it has so far, if it was stopped
  }
}

/** Lets signals and messages in. */
function turn(): Promise<void> {
  return new Promise((go) => (typeof setImmediate === "function" ? setImmediate(go) : setTimeout(go)));
}

/**
 * Watches for an abort signal and for SIGINT, which JupyterLab's stop button and Ctrl-C send, while some work runs.
 *
 * tslab rejects the promise that a cell awaits, but the loop behind it would run on into later cells: work that lasts
 * calls check() once a step and close() in a finally block. In a browser there is no SIGINT, only the abort signal.
 */
export class InterruptWatch {
  private interrupted = false;
  private readonly listen = () => {
    this.interrupted = true;
  };

  constructor(
    private readonly what: string,
    private readonly signal?: AbortSignal,
  ) {
    host?.on("SIGINT", this.listen);
  }

  /** Lets signals and messages in, then throws Interrupted if one came. `kept` says what remains of the work. */
  async check(kept: string): Promise<void> {
    await turn();
    if (this.interrupted || this.signal?.aborted)
      throw new Interrupted(`${this.what} was interrupted: ${kept}`);
  }

  /** Does some work to its end, unless it is interrupted: see {@link check}. */
  finish<T>(work: Stoppable<T>, kept: string): Promise<T> {
    return finishWithPauses(work, () => this.check(kept));
  }

  close(): void {
    host?.removeListener("SIGINT", this.listen);
  }
}

/** Node's process; undefined in a browser. */
const host = (globalThis as { process?: NodeJS.Process }).process;
