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
}

/** What a run of a system prints. */
export interface GalleryResult {
  readonly columns: readonly string[];
  /** A name and numbers, one for each column. */
  readonly rows: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly targets: readonly Target[];
}

/** A system of the gallery. */
export interface GallerySystem {
  /** As on the command line. */
  readonly name: string;
  readonly title: string;
  /** Whose method it is. */
  readonly paper: string;
  /** Everything random comes from the seed. progress: a line of text now and then. */
  run(options: { budget: Budget; seed: number; progress: (text: string) => void }): Promise<GalleryResult>;
}

/** Whether a target is met; NaN meets none. */
export function isMet({ value, at, limit }: Target): boolean {
  return at === "most" ? value <= limit : value >= limit;
}
