import type { Table } from "../../../lib/figures/show";

/** One statement of a text and what a computation says instead. */
export interface Erratum {
  readonly entry: string;
  /** What the text says. */
  readonly says: string;
  /** What is so. */
  readonly so: string;
  /** By how much, from computed values. */
  readonly size: string;
  /** The section whose cell shows it. */
  readonly shown: string;
}

/** Errata as a table, in the order in which they were found. */
export function errataTable(errata: readonly Erratum[]): Table {
  return {
    index: errata.map(({ entry }) => entry),
    columns: ["the post says", "what is so", "by how much", "shown in"],
    values: errata.map(({ says, so, size, shown }) => [says, so, size, shown]),
  };
}
