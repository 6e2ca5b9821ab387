import { timeLeft } from "../../lib/notebook/duration";

const QUIET_MS = 2_000;
const TERMINAL_MS = 250;
const LOG_MS = 15_000;

/**
 * Shows how far a long task is and the time left, on stderr: one line that is rewritten on a terminal, a line every
 * 15 s in a log. Says nothing about tasks that take less than two seconds.
 */
export class Progress {
  private readonly start = Date.now();
  private readonly terminal = process.stderr.isTTY;
  private shownAt = this.start;
  private shown = false;

  /** interval: between two rewritings on a terminal, ms */
  constructor(
    private readonly unit: string,
    private readonly interval = TERMINAL_MS,
  ) {}

  update(done: number, all: number): void {
    this.report(() => {
      const left = ((Date.now() - this.start) / 1000) * (all / done - 1);
      return `${done} of ${all} ${this.unit}${timeLeft(left)}`;
    });
  }

  /** Shows the caller's own line when it is time to. */
  report(line: () => string): void {
    const now = Date.now();
    const interval = this.terminal ? this.interval : LOG_MS;
    if (now - this.start < QUIET_MS || now - this.shownAt < interval) return;
    this.shownAt = now;
    const text = line();
    // A line that wraps could not be rewritten.
    process.stderr.write(
      this.terminal ? `\r\x1b[K${text.slice(0, (process.stderr.columns || 80) - 1)}` : `${text}\n`,
    );
    this.shown = true;
  }

  /** Tells somebody at a terminal what takes the time before the first report, and returns what `body` returns. */
  async preparing<T>(text: string, body: () => Promise<T>): Promise<T> {
    if (this.terminal) {
      process.stderr.write(`\r\x1b[K${text}`);
      this.shown = true;
    }
    try {
      return await body();
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** Clears the line on a terminal. */
  end(): void {
    if (this.terminal && this.shown) process.stderr.write("\r\x1b[K");
  }
}
