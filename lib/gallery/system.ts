/** What every system of the gallery gives to the command line and to the notebooks: a table, and its targets. */
import type { Budget } from "../notebook/notebook";

export type { Budget };

/** A figure that was aimed at, and what came out. */
export interface Target {
  /** Such as "mean of the linearised moments, largest error". */
  readonly what: string;
  readonly value: number;
  readonly at: "most" | "least";
  readonly limit: number;
  /** The value is 1 or 0, and its mean over seeds is what was aimed at: one run cannot tell. */
  readonly share?: boolean;
  /** What the same measure is for references and baselines. */
  readonly beside?: Readonly<Record<string, number>>;
}

/** What a run of a system prints. */
export interface GalleryResult {
  readonly columns: readonly string[];
  /** A name and numbers, one for each column. */
  readonly rows: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly targets: readonly Target[];
}

export interface RunOptions {
  readonly budget: Budget;
  readonly seed: number;
  /** Only what the targets need that are shares. */
  readonly sharesOnly?: boolean;
  /** Takes a line of text now and then. */
  progress(text: string): void;
}

/** A system of the gallery. */
export interface GallerySystem {
  /** As on the command line. */
  readonly name: string;
  readonly title: string;
  /** Whose method it is. */
  readonly paper: string;
  /** Seeds of a study for the targets that are shares, if there are any; the others have five. */
  readonly seedsOfShares?: number;
  /** Everything random comes from the seed. */
  run(options: RunOptions): Promise<GalleryResult>;
}

/** Whether a target is met; NaN meets none. */
export function isMet({ value, at, limit }: Pick<Target, "value" | "at" | "limit">): boolean {
  return at === "most" ? value <= limit : value >= limit;
}
