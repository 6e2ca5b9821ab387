/** Stopping long asynchronous work when the user, or the program that started it, asks for it. */

/** Thrown inside interrupted work, so that nothing after it in the same cell runs. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
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
    await new Promise<void>((go) => (typeof setImmediate === "function" ? setImmediate(go) : setTimeout(go)));
    if (this.interrupted || this.signal?.aborted)
      throw new Interrupted(`${this.what} was interrupted: ${kept}`);
  }

  close(): void {
    host?.removeListener("SIGINT", this.listen);
  }
}

/** Node's process; undefined in a browser. */
const host = (globalThis as { process?: NodeJS.Process }).process;
