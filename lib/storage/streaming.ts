/** Training on rows that stay in a file: each batch is read when its turn comes, or a step before. */
import { tf } from "../backend/tensors";
import { rowConditions, type RowSource } from "../data/rows";
import type { DataSet } from "../dataSet";
import type { Conditioning } from "../preconditioner";
import type { ScoreModel } from "../scoreModel";
import { type Batch, type Block, joined, type Moments, standardiseRow } from "./batches";
import { SolvingThread } from "./solvingThread";

/** What a model knows of a set of conditions. */
interface Known {
  readonly conditioning: Conditioning;
  readonly moments: Moments;
}

/** What a model knows of the conditions that were asked for last, as much as fits into some memory. */
class KnownConditions {
  /** Those that were asked for longest ago come first. */
  private readonly known = new Map<string, Known>();
  private bytes = 0;

  constructor(
    private readonly model: ScoreModel,
    private readonly mostBytes: number,
  ) {}

  /** What is known of some sets of conditions, in their order: the conditioning in new tensors. */
  of(conditions: readonly Float64Array[]): { conditioning: Conditioning; moments: readonly Moments[] } {
    const keys = conditions.map((values) => values.join());
    const missing = new Map(keys.map((key, i) => [key, conditions[i]]));
    for (const key of missing.keys()) if (this.known.has(key)) missing.delete(key);
    if (missing.size > 0) this.add(missing);
    const parts = keys.map((key) => {
      const part = this.known.get(key)!;
      this.known.delete(key);
      this.known.set(key, part);
      return part;
    });
    const conditioning = joined(parts.map((part) => part.conditioning));
    this.forgetBeyond(this.mostBytes);
    return { conditioning, moments: parts.map(({ moments }) => moments) };
  }

  dispose(): void {
    this.forgetBeyond(0);
  }

  private add(missing: ReadonlyMap<string, Float64Array>): void {
    const { preconditioner } = this.model;
    tf.tidy(() => {
      const values = Float64Array.from([...missing.values()].flatMap((conditions) => [...conditions]));
      const all = Object.entries(preconditioner.conditioning(values));
      let i = 0;
      for (const [key, conditions] of missing) {
        const own = all.map(([name, tensor]) => [name, tf.keep(tf.slice(tensor, [i], [1]))] as const);
        i++;
        const conditioning = Object.fromEntries(own) as Conditioning;
        const known = { conditioning, moments: preconditioner.moments(conditions) };
        this.known.set(key, known);
        this.bytes += bytesOf(known);
      }
    });
  }

  private forgetBeyond(most: number): void {
    for (const [key, known] of this.known) {
      if (this.bytes <= most) return;
      this.bytes -= bytesOf(known);
      tf.dispose(Object.values(known.conditioning));
      this.known.delete(key);
    }
  }
}

function bytesOf({ conditioning, moments }: Known): number {
  return bytesOfTensors(conditioning) + 8 * (moments.mean.length + moments.std.length);
}

function bytesOfTensors(conditioning: Conditioning): number {
  return Object.values(conditioning).reduce((sum, { size }) => sum + 4 * size, 0);
}

/** Bytes of the tensors that a model has of one set of conditions (conditions). */
export function bytesOfCondition({ preconditioner }: ScoreModel, conditions: Float64Array): number {
  return tf.tidy(() => bytesOfTensors(preconditioner.conditioning(conditions)));
}

/** Rows that were read, with what was solved for them: (rows, images, responses x fields x cells). */
interface ReadRows {
  readonly rows: DataSet;
  readonly solved?: Float64Array;
}

/** A row as it is trained on. */
interface KeptRow {
  readonly conditions: Float64Array;
  /** (images, cells, channels), standardised */
  readonly values: Float32Array;
}

/**
 * Batches of rows that are read when they are needed, or a step before. As many as fit into some memory are kept: which does not
 * matter, as rows come in random order.
 */
export class StreamedBatches {
  private readonly known: KnownConditions;
  private readonly kept = new Map<number, KeptRow>();
  private readonly mostKept: number;
  private readonly solver: SolvingThread | undefined;
  /** Of the step that is expected next. */
  private ahead: { readonly numbers: readonly number[]; readonly rows: DataSet } | undefined;

  /** mostBytes: half of them for what the model knows of conditions, half for rows. */
  constructor(
    private readonly model: ScoreModel,
    private readonly source: RowSource,
    private readonly mirrored: boolean,
    mostBytes: number,
  ) {
    this.known = new KnownConditions(model, mostBytes / 2);
    const { channels, preconditioner, problem } = model;
    const images = mirrored ? 2 : 1;
    this.mostKept = mostBytes / 2 / (4 * images * channels * problem.cells + 8 * problem.conditions.length);
    // What is solved for each row takes longer than its share of the step that it is for.
    if (preconditioner.generated && problem.affineIn.length > 0) this.solver = new SolvingThread(problem);
  }

  /**
   * What gatherBatch gives for a set of all rows, from the rows of these blocks alone, which are read and standardised; `next`
   * are likely to be asked for then. The caller disposes of it (or calls it within tf.tidy).
   */
  batch(blocks: readonly Block[], next: readonly Block[]): Batch {
    const { model, mirrored } = this;
    const { channels, problem } = model;
    const size = channels * problem.cells;
    const images = mirrored ? 2 : 1;
    const numbers = this.missing(blocks);
    const read = this.taken(numbers);
    this.readAhead(next);
    const place = new Map(numbers.map((row, k) => [row, k]));
    const conditionsOf = (row: number) =>
      this.kept.get(row)?.conditions ?? rowConditions(read.rows, place.get(row)!).slice();
    const conditions = blocks.map((block) => conditionsOf(block.rows[0]));
    const { conditioning, moments } = this.known.of(conditions);
    const count = blocks.reduce((sum, block) => sum + images * block.rows.length, 0);
    const values = new Float32Array(count * size);
    let to = 0;
    for (const [b, block] of blocks.entries()) {
      const rows = block.rows.map((row) => {
        const k = place.get(row);
        if (k === undefined) return this.kept.get(row)!.values;
        const own = this.standardised(read, k, row, moments[b]);
        if (this.kept.size < this.mostKept) this.kept.set(row, { conditions: conditions[b], values: own });
        return own;
      });
      for (let i = 0; i < images; i++) {
        for (const own of rows) {
          values.set(own.subarray(i * size, (i + 1) * size), to);
          to += size;
        }
      }
    }
    return { mirrored, conditioning, fields: tf.tensor3d(values, [count, problem.cells, channels]) };
  }

  dispose(): void {
    this.known.dispose();
    this.solver?.close();
  }

  /** A row, number k of those that were read, and its image: (images, cells, channels). */
  private standardised({ rows, solved }: ReadRows, k: number, named: number, moments: Moments): Float32Array {
    const { model, mirrored } = this;
    const size = model.channels * model.problem.cells;
    const images = mirrored ? [false, true] : [false];
    const values = new Float32Array(images.length * size);
    for (const [i, image] of images.entries()) {
      const start = (k * images.length + i) * size;
      const parts = solved && [solved.subarray(start, start + size)];
      const own = values.subarray(i * size, (i + 1) * size);
      standardiseRow(model, moments, rows, k, image, own, named, parts);
    }
    return values;
  }

  /** Numbers of the rows that are not kept. */
  private missing(blocks: readonly Block[]): number[] {
    return blocks.flatMap((block) => block.rows).filter((row) => !this.kept.has(row));
  }

  /** Rows, with what is solved for them if that was begun before. */
  private taken(numbers: readonly number[]): ReadRows {
    const { ahead } = this;
    this.ahead = undefined;
    const solved = ahead && this.solver?.result(); // also where it was for nothing
    if (ahead && ahead.numbers.join() === numbers.join()) return { rows: ahead.rows, solved };
    return { rows: this.source.select(numbers) };
  }

  private readAhead(next: readonly Block[]): void {
    const numbers = this.missing(next);
    if (numbers.length === 0 || !this.solver) return;
    const rows = this.source.select(numbers);
    this.ahead = { numbers, rows };
    if (rows.latent) this.solver.begin(rows.latent, this.mirrored);
  }
}
