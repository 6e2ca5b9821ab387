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

/** Batches of rows that are read when they are needed, or a step before. */
export class StreamedBatches {
  private readonly known: KnownConditions;
  private readonly solver: SolvingThread | undefined;
  /** Of the step that is expected next. */
  private ahead: { readonly numbers: readonly number[]; readonly rows: DataSet } | undefined;

  /** mostBytes: for what the model knows of conditions. */
  constructor(
    private readonly model: ScoreModel,
    private readonly source: RowSource,
    private readonly mirrored: boolean,
    mostBytes: number,
  ) {
    this.known = new KnownConditions(model, mostBytes);
    const { preconditioner, problem } = model;
    // What is solved for each row takes as long as a third of the step that it is for.
    if (preconditioner.generated && problem.affineIn.length > 0) this.solver = new SolvingThread(problem);
  }

  /**
   * What gatherBatch gives for a set of all rows, from the rows of these blocks alone, which are read and standardised; `next`
   * are likely to be asked for then. The caller disposes of it (or calls it within tf.tidy).
   */
  batch(blocks: readonly Block[], next: readonly Block[]): Batch {
    const { model, mirrored } = this;
    const numbers = blocks.flatMap((block) => block.rows);
    const { rows, solved } = this.taken(numbers);
    this.readAhead(next.flatMap((block) => block.rows));
    const each = numbers.length / blocks.length;
    const conditions = blocks.map((_, b) => rowConditions(rows, b * each));
    const { conditioning, moments } = this.known.of(conditions);
    const { channels, problem } = model;
    const size = channels * problem.cells;
    const images = mirrored ? [false, true] : [false];
    const values = new Float32Array(images.length * numbers.length * size);
    let to = 0;
    for (const [b, own] of moments.entries()) {
      for (const image of images) {
        for (let row = b * each; row < (b + 1) * each; row++, to += size) {
          const start = (row * images.length + Number(image)) * size;
          const parts = solved && [solved.subarray(start, start + size)];
          standardiseRow(model, own, rows, row, image, values.subarray(to, to + size), numbers[row], parts);
        }
      }
    }
    const shape: [number, number, number] = [values.length / size, problem.cells, channels];
    return { mirrored, conditioning, fields: tf.tensor3d(values, shape) };
  }

  dispose(): void {
    this.known.dispose();
    this.solver?.close();
  }

  /** Rows, with what is solved for them if that was begun before. */
  private taken(numbers: readonly number[]): { rows: DataSet; solved?: Float64Array } {
    const { ahead } = this;
    this.ahead = undefined;
    const solved = ahead && this.solver?.result(); // also where it was for nothing
    if (!ahead || !numbers.every((row, i) => row === ahead.numbers[i])) {
      return { rows: this.source.select(numbers) };
    }
    return { rows: ahead.rows, solved };
  }

  private readAhead(numbers: readonly number[]): void {
    if (numbers.length === 0 || !this.solver) return;
    const rows = this.source.select(numbers);
    this.ahead = { numbers, rows };
    if (rows.latent) this.solver.begin(rows.latent, this.mirrored);
  }
}
