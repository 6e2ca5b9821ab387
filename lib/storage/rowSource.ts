import type { ConditionGroups } from "./conditionGroups";
import { type DataSet, selectRows } from "../dataSet";
import type { Problem } from "../problem";

/** Rows of fields that stay where they are, as in a large file, until some of them are asked for. */
export interface RowSource {
  readonly problem: Problem;
  readonly rows: number;
  readonly groups: ConditionGroups;
  /** The given rows in the given order, in memory. */
  select(rows: ArrayLike<number>): DataSet;
  /** All rows in order, piece by piece. */
  pieces(): Iterable<DataSet>;
  /** (rows of a piece, conditions) of all rows in order, piece by piece. */
  conditions(): Iterable<Float64Array>;
}

/** True for rows that are not in memory. */
export function isSource(data: DataSet | RowSource): data is RowSource {
  return "select" in data;
}

/** The given rows in the given order, in memory, copied. */
export function pickRows(data: DataSet | RowSource, rows: ArrayLike<number>): DataSet {
  return isSource(data) ? data.select(rows) : selectRows(data, rows);
}

/** All rows in order, in pieces that are in memory. */
export function piecesOf(data: DataSet | RowSource): Iterable<DataSet> {
  return isSource(data) ? data.pieces() : [data];
}
