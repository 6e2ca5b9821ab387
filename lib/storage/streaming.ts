/** Training on rows that stay in a file: each batch is read when its turn comes. */
import type { RowGroups, RowSource } from "../data/rows";
import type { DataSet } from "../dataSet";
import type { ScoreModel } from "../scoreModel";
import { type Batch, type Block, gatherBatch, splitGroups, tensorSet } from "./batches";

/** Rows of a source by condition. */
export interface SourcePart {
  readonly source: RowSource;
  readonly rows: number;
  readonly groups: RowGroups;
}

/** Splits as splitByCondition does; the rows to validate with are read. */
export function splitSource(
  source: RowSource,
  share: number,
  mostRows: number,
): { training: SourcePart; validation: DataSet } {
  const { training, validation } = splitGroups(source.groups, share, mostRows);
  let rows = 0;
  for (let k = 0; k < training.length; k++) rows += training.at(k)!.length;
  return { training: { source, rows, groups: training }, validation: source.select(validation) };
}

/**
 * What gatherBatch gives for a set of all rows, from the rows of these blocks alone: they are read, standardised, and what
 * the model knows of their conditions is computed. The caller disposes of it (or calls it within tf.tidy).
 */
export function streamedBatch(
  model: ScoreModel,
  source: RowSource,
  blocks: readonly Block[],
  mirrored: boolean,
): Batch {
  const set = tensorSet(model, source.select(blocks.flatMap(({ rows }) => rows)), mirrored);
  // Groups and rows are numbered anew, in the order in which they appear here.
  const groups = new Map<number, number>();
  let row = 0;
  const renumbered = blocks.map(({ group, rows }): Block => {
    if (!groups.has(group)) groups.set(group, groups.size);
    return { group: groups.get(group)!, rows: rows.map(() => row++) };
  });
  return gatherBatch(set, renumbered);
}
