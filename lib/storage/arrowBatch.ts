import type { Column } from "./arrowLayout";
import { FlatTable } from "./flatbuffer";

// Slots of the tables in Arrow's Message.fbs, and the enumerated values used here.
const MESSAGE = { headerType: 1, header: 2 };
const RECORD_BATCH = { length: 0, nodes: 1, buffers: 2, compression: 3 };
const HEADER_RECORD_BATCH = 3;
const PAIR_BYTES = 16; // a node (length, null count) or a buffer (offset, length)

/** Where the record batches of a file lie, as its footer says. */
export interface Block {
  readonly offset: number;
  readonly metadataLength: number;
  readonly bodyLength: number;
}

/** Where the values of a record batch lie. */
export interface BatchLayout {
  readonly rows: number;
  /** of each column: the place of its first value in the file */
  readonly starts: readonly number[];
}

/**
 * Reads the header of a record batch and holds it against the columns and against the bytes of its body. Throws
 * RangeError where it is damaged; a compressed one is "compressed".
 */
export function batchLayout(
  head: Uint8Array,
  block: Block,
  columns: readonly Column[],
): BatchLayout | "compressed" {
  const check = (fine: boolean): void => {
    if (!fine) throw new RangeError("The header of the record batch is damaged.");
  };
  // int32 -1, int32 length of the header, header
  const message = FlatTable.root(head.subarray(8));
  const header = message.table(MESSAGE.header);
  check(message.int8(MESSAGE.headerType) === HEADER_RECORD_BATCH);
  if (!header) throw new RangeError("The record batch has no header.");
  if (header.table(RECORD_BATCH.compression)) return "compressed";
  const rows = header.int64(RECORD_BATCH.length);
  const width = columns.reduce((sum, column) => sum + column.width, 0);
  check(rows >= 0 && 8 * rows * width <= block.bodyLength);
  const nodes = header.vector(RECORD_BATCH.nodes, PAIR_BYTES);
  const buffers = header.vector(RECORD_BATCH.buffers, PAIR_BYTES);
  let node = 0;
  let buffer = 0;
  const starts = columns.map((column) => {
    // A list has a node and a validity buffer of its own, then its items have theirs, then come the numbers.
    for (const length of column.width === 1 ? [rows] : [rows, rows * column.width]) {
      check(int64(nodes, 2 * node) === length && int64(nodes, 2 * node + 1) === 0);
      node++;
      buffer++;
    }
    const start = int64(buffers, 2 * buffer);
    const bytes = int64(buffers, 2 * buffer + 1);
    buffer++;
    check(
      start >= 0 && start % 8 === 0 && bytes >= 8 * rows * column.width && start + bytes <= block.bodyLength,
    );
    return block.offset + block.metadataLength + start;
  });
  return { rows, starts };
}

/** The index-th int64 of a view, exact below 2^53. */
export function int64(view: DataView, index: number): number {
  return Number(view.getBigInt64(8 * index, true));
}
