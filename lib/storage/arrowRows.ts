import fs from "node:fs";
import type { BatchLayout } from "./arrowBatch";
import { ArrowFieldsFile, MOST_ROWS, readDataSet } from "./arrowReader";
import { fileError } from "./atomicFile";
import { ConditionGroups, lastAtMost } from "./conditionGroups";
import { allocateDataSet, type DataSet } from "../dataSet";
import type { Problem } from "../problem";
import type { RowSource } from "./rowSource";

/** Files up to this size are loaded: training on one takes up to six times as much memory. */
const LOADED_BYTES = 256 * 2 ** 20;

/** Reads a file into memory or, if it is larger than `loaded` bytes, leaves its rows there. Throws InputError. */
export async function openData(file: string, loaded = LOADED_BYTES): Promise<DataSet | ArrowRows> {
  let bytes: number;
  try {
    bytes = fs.statSync(file).size;
  } catch (error) {
    throw fileError("read", file, error);
  }
  return bytes > loaded ? ArrowRows.open(file) : readDataSet(file);
}

/**
 * The rows of an Arrow file, read at their places when they are asked for: a file of any size takes some 60 bytes of
 * memory a row. Opening it reads it once, so that a value that is no number is told of now. Throws InputError then, and
 * later where the file has changed. close() it in the end.
 */
export class ArrowRows implements RowSource {
  readonly problem: Problem;
  readonly groups: ConditionGroups;

  private constructor(
    private readonly source: ArrowFieldsFile,
    private readonly layouts: readonly BatchLayout[],
    /** (record batches + 1): number of each one's first row */
    private readonly starts: readonly number[],
  ) {
    this.problem = source.problem;
    this.groups = new ConditionGroups(this.rows, this.problem.conditions.length);
  }

  static async open(file: string): Promise<ArrowRows> {
    const source = await ArrowFieldsFile.open(file);
    try {
      const layouts: BatchLayout[] = [];
      const starts = [0];
      for await (const layout of source.layouts()) {
        layouts.push(layout);
        starts.push(starts[starts.length - 1] + layout.rows);
      }
      const rows = new ArrowRows(source, layouts, starts);
      for (const { conditions } of rows.pieces()) {
        rows.groups.add(conditions);
        await new Promise(setImmediate); // lets signals in
      }
      return rows;
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  get rows(): number {
    return this.starts[this.starts.length - 1];
  }

  select(rows: ArrayLike<number>): DataSet {
    const data = allocateDataSet(this.problem, rows.length, this.source.seed);
    for (let to = 0; to < rows.length;) {
      const batch = lastAtMost(this.starts, rows[to]);
      const from = rows[to] - this.starts[batch];
      // Rows that follow one another are read together.
      let count = 1;
      while (rows[to + count] === rows[to] + count && from + count < this.layouts[batch].rows) count++;
      this.source.read(data, to, count, this.layouts[batch], from, rows[to]);
      to += count;
    }
    return this.source.hasLatent ? data : { ...data, latent: undefined };
  }

  *pieces(): Generator<DataSet> {
    for (const [batch, from, rows] of this.places()) {
      const data = allocateDataSet(this.problem, rows, this.source.seed);
      this.source.read(data, 0, rows, this.layouts[batch], from, this.starts[batch] + from);
      yield this.source.hasLatent ? data : { ...data, latent: undefined };
    }
  }

  *conditions(): Generator<Float64Array> {
    for (const [batch, from, rows] of this.places()) {
      const data = allocateDataSet(this.problem, rows);
      this.source.read(data, 0, rows, this.layouts[batch], from, this.starts[batch] + from, "conditions");
      yield data.conditions;
    }
  }

  async close(): Promise<void> {
    await this.source.close();
  }

  /** Record batch, first row in it and number of rows of each piece. */
  private *places(): Generator<[number, number, number]> {
    for (const [batch, { rows }] of this.layouts.entries()) {
      for (let from = 0; from < rows; from += MOST_ROWS)
        yield [batch, from, Math.min(MOST_ROWS, rows - from)];
    }
  }
}
