/** Training on rows that stay in a file: each batch is read when its turn comes. */
import { finish } from "../backend/interrupt";
import { tf } from "../backend/tensors";
import type { Group, RowSource } from "../data/rows";
import type { Conditioning } from "../preconditioner";
import type { ScoreModel } from "../scoreModel";
import { type Batch, type Block, gatherBatch, joined, makingTensorSet } from "./batches";

/** What a model knows of the conditions that were asked for last, as much as fits into some memory. */
export class KnownConditions {
  /** Those that were asked for longest ago come first. */
  private readonly known = new Map<string, Conditioning>();
  private bytes = 0;

  constructor(
    private readonly model: ScoreModel,
    private readonly mostBytes: number,
  ) {}

  /** What is known of the conditions of some groups, in their order, in new tensors. */
  of(groups: readonly Group[]): Conditioning {
    const keys = groups.map(({ conditions }) => conditions.join());
    const missing = groups.filter((_, i) => !this.known.has(keys[i]));
    if (missing.length > 0) this.add(missing);
    const parts = keys.map((key) => {
      const part = this.known.get(key)!;
      this.known.delete(key);
      this.known.set(key, part);
      return part;
    });
    const whole = joined(parts);
    this.forgetBeyond(this.mostBytes);
    return whole;
  }

  dispose(): void {
    this.forgetBeyond(0);
  }

  private add(groups: readonly Group[]): void {
    tf.tidy(() => {
      const values = Float64Array.from(groups.flatMap(({ conditions }) => [...conditions]));
      const all = Object.entries(this.model.preconditioner.conditioning(values));
      groups.forEach(({ conditions }, i) => {
        const own = all.map(([name, tensor]) => [name, tf.keep(tf.slice(tensor, [i], [1]))] as const);
        this.known.set(conditions.join(), Object.fromEntries(own) as Conditioning);
        this.bytes += bytesOf(own.map(([, tensor]) => tensor));
      });
    });
  }

  private forgetBeyond(most: number): void {
    for (const [key, conditioning] of this.known) {
      if (this.bytes <= most) return;
      const tensors = Object.values(conditioning);
      this.bytes -= bytesOf(tensors);
      tf.dispose(tensors);
      this.known.delete(key);
    }
  }
}

function bytesOf(tensors: readonly tf.Tensor[]): number {
  return tensors.reduce((sum, { size }) => sum + 4 * size, 0);
}

/** Bytes of what a model knows of one set of conditions (conditions). */
export function bytesOfCondition({ preconditioner }: ScoreModel, conditions: Float64Array): number {
  return tf.tidy(() => bytesOf(Object.values(preconditioner.conditioning(conditions))));
}

/**
 * What gatherBatch gives for a set of all rows, from the rows of these blocks alone, which are read and standardised. The
 * caller disposes of it (or calls it within tf.tidy).
 */
export function streamedBatch(
  model: ScoreModel,
  source: RowSource,
  blocks: readonly Block[],
  mirrored: boolean,
  known: KnownConditions,
): Batch {
  const rows = source.select(blocks.flatMap((block) => block.rows));
  const knowing = (_: ScoreModel, groups: readonly Group[]) => known.of(groups);
  const set = finish(makingTensorSet(model, rows, mirrored, undefined, knowing));
  // Groups and rows are numbered anew, in the order in which they appear here.
  const groups = new Map<number, number>();
  let row = 0;
  const renumbered = blocks.map(({ group, rows }): Block => {
    if (!groups.has(group)) groups.set(group, groups.size);
    return { group: groups.get(group)!, rows: rows.map(() => row++) };
  });
  return gatherBatch(set, renumbered);
}
