/** Rows that share their conditions, of so many rows that an array or a text for each would fill the memory. */

import type { RowGroups } from "../data/rows";

const MULTIPLIER = 0x9e3779b1; // 2^32 divided by the golden ratio: spreads neighbouring numbers over all bits

/**
 * Groups of rows with equal conditions in order of first appearance, like groupByCondition's. Five million rows, each with
 * conditions of its own, take 0.3 GB; a Map of texts would take 1.1 GB, and sorting the rows twice the time.
 */
export class ConditionGroups implements RowGroups {
  private count = 0;
  private added = 0;
  /** (groups, conditions) */
  private values: Float64Array;
  /** (rows) */
  private readonly groupOf: Int32Array;
  /** Open addressing: numbers of groups, -1 where there is none. */
  private table = new Int32Array(1024).fill(-1);
  private order: { readonly starts: Int32Array; readonly rows: Int32Array } | undefined;

  /** rows: how many will be added; width: conditions a row. */
  constructor(
    rows: number,
    private readonly width: number,
  ) {
    this.groupOf = new Int32Array(rows);
    this.values = new Float64Array(256 * width);
  }

  /** Number of groups. */
  get length(): number {
    return this.count;
  }

  /** (groups, conditions), in their units */
  get conditions(): Float64Array {
    return this.values.subarray(0, this.count * this.width);
  }

  /** Adds the next rows: conditions (rows, conditions). */
  add(conditions: Float64Array): void {
    const { width } = this;
    let last = -1;
    for (let start = 0; start < conditions.length; start += width) {
      // Rows of one condition mostly follow one another.
      if (last < 0 || !this.equal(last, conditions, start)) last = this.find(conditions, start);
      this.groupOf[this.added++] = last;
    }
  }

  /** The rows of a group, in order. */
  at(group: number): Int32Array {
    this.order ??= this.sorted();
    const { starts, rows } = this.order;
    return rows.subarray(starts[group], starts[group + 1]);
  }

  private equal(group: number, conditions: Float64Array, start: number): boolean {
    const { width, values } = this;
    for (let k = 0; k < width; k++) {
      const [a, b] = [values[group * width + k], conditions[start + k]];
      if (a !== b && !(Number.isNaN(a) && Number.isNaN(b))) return false;
    }
    return true;
  }

  /** The group of a row's conditions, a new one where there is none. */
  private find(conditions: Float64Array, start: number): number {
    const { width } = this;
    const mask = this.table.length - 1;
    let at = this.hash(conditions, start) & mask;
    for (; this.table[at] >= 0; at = (at + 1) & mask) {
      if (this.equal(this.table[at], conditions, start)) return this.table[at];
    }
    const group = this.count++;
    this.table[at] = group;
    if (this.values.length < this.count * width) {
      const larger = new Float64Array(2 * this.values.length);
      larger.set(this.values);
      this.values = larger;
    }
    for (let k = 0; k < width; k++) this.values[group * width + k] = conditions[start + k];
    if (2 * this.count > this.table.length) this.enlarge();
    return group;
  }

  private enlarge(): void {
    this.table = new Int32Array(2 * this.table.length).fill(-1);
    const mask = this.table.length - 1;
    for (let group = 0; group < this.count; group++) {
      let at = this.hash(this.values, group * this.width) & mask;
      while (this.table[at] >= 0) at = (at + 1) & mask;
      this.table[at] = group;
    }
  }

  private readonly number = new Float64Array(1);
  private readonly words = new Uint32Array(this.number.buffer);

  private hash(conditions: Float64Array, start: number): number {
    let hash = 0;
    for (let k = 0; k < this.width; k++) {
      const value = conditions[start + k];
      this.number[0] = Number.isNaN(value) ? NaN : value + 0; // -0 and 0 are equal, and so are all NaN
      for (const word of this.words) {
        hash = Math.imul(hash ^ word, MULTIPLIER);
        hash ^= hash >>> 15;
      }
    }
    return hash;
  }

  /** Row numbers by group (counting sort). */
  private sorted(): { starts: Int32Array; rows: Int32Array } {
    const { groupOf, added, count } = this;
    const starts = new Int32Array(count + 1);
    for (let row = 0; row < added; row++) starts[groupOf[row] + 1]++;
    for (let group = 0; group < count; group++) starts[group + 1] += starts[group];
    const next = starts.slice();
    const rows = new Int32Array(added);
    for (let row = 0; row < added; row++) rows[next[groupOf[row]]++] = row;
    return { starts, rows };
  }
}

/** Index of the last of some rising numbers, but the last one, that is at most `value` (bisection). */
export function lastAtMost(rising: ArrayLike<number>, value: number): number {
  let [low, high] = [0, rising.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (rising[middle] <= value) low = middle;
    else high = middle;
  }
  return low;
}
