import { rowCount } from "./summary";

/**
 * Mean Euclidean distance between the rows of x and those of y, over all pairs (with x === y, over half of them).
 *
 * The zero distance of each row of x === y to itself counts, as in a V-statistic.
 */
export function meanDistance(x: Float64Array, y: Float64Array, columns: number): number {
  let total = 0;
  forEachDistance(x, y, columns, (_i, _j, distance) => (total += distance));
  return ((x === y ? 2 : 1) * total) / (rowCount(x, columns) * rowCount(y, columns));
}

/** Squares that are a smaller share of the rows' norms than this have lost digits and are taken again. */
const CANCELLED = 1e-3;
/** Rows of x and of y in a block whose inner products are summed side by side, in registers. */
const [BLOCK_X, BLOCK_Y] = [2, 4];

/**
 * Visits the distance of every pair of rows; with x === y only the pairs i < j.
 *
 * |a - b|^2 = |a|^2 + |b|^2 - 2 a b takes two operations a column where differences take three. Where rows are close
 * for their norms, so that digits cancel, differences are taken all the same: every distance is right to about 1e-12
 * of itself, and equal rows are 0 apart exactly. Centred rows, as standardised ones are, are seldom that close.
 */
export function forEachDistance(
  x: Float64Array,
  y: Float64Array,
  columns: number,
  visit: (i: number, j: number, distance: number) => void,
): void {
  const [n, m] = [rowCount(x, columns), rowCount(y, columns)];
  const same = x === y;
  const normsX = squaredNorms(x, columns);
  const normsY = same ? normsX : squaredNorms(y, columns);
  const products = new Float64Array(BLOCK_X * BLOCK_Y);
  for (let i = 0; i < n; i += BLOCK_X) {
    for (let j = same ? i - (i % BLOCK_Y) : 0; j < m; j += BLOCK_Y) {
      multiplyBlock(x, i, n - 1, y, j, m - 1, columns, products);
      for (let p = i; p < Math.min(i + BLOCK_X, n); p++) {
        for (let q = same ? Math.max(j, p + 1) : j; q < Math.min(j + BLOCK_Y, m); q++) {
          const norms = normsX[p] + normsY[q];
          let square = norms - 2 * products[(p - i) * BLOCK_Y + q - j];
          if (square < CANCELLED * norms) square = squaredDifference(x, p, y, q, columns);
          visit(p, q, Math.sqrt(square));
        }
      }
    }
  }
}

/**
 * Inner products of rows i, i + 1 of x with rows j to j + 3 of y: written to products (BLOCK_X, BLOCK_Y).
 *
 * Past its last row a set's last row stands in. Eight sums and six factors are as many as the registers hold.
 */
function multiplyBlock(
  x: Float64Array,
  i: number,
  lastX: number,
  y: Float64Array,
  j: number,
  lastY: number,
  columns: number,
  products: Float64Array,
): void {
  const a = i * columns;
  const b = Math.min(i + 1, lastX) * columns;
  const p = j * columns;
  const q = Math.min(j + 1, lastY) * columns;
  const r = Math.min(j + 2, lastY) * columns;
  const s = Math.min(j + 3, lastY) * columns;
  let [ap, aq, ar, as] = [0, 0, 0, 0];
  let [bp, bq, br, bs] = [0, 0, 0, 0];
  for (let k = 0; k < columns; k++) {
    const xa = x[a + k];
    const xb = x[b + k];
    const yp = y[p + k];
    const yq = y[q + k];
    const yr = y[r + k];
    const ys = y[s + k];
    ap += xa * yp;
    aq += xa * yq;
    ar += xa * yr;
    as += xa * ys;
    bp += xb * yp;
    bq += xb * yq;
    br += xb * yr;
    bs += xb * ys;
  }
  products[0] = ap;
  products[1] = aq;
  products[2] = ar;
  products[3] = as;
  products[4] = bp;
  products[5] = bq;
  products[6] = br;
  products[7] = bs;
}

function squaredDifference(x: Float64Array, i: number, y: Float64Array, j: number, columns: number): number {
  let sum = 0;
  for (let k = 0; k < columns; k++) sum += (x[i * columns + k] - y[j * columns + k]) ** 2;
  return sum;
}

function squaredNorms(values: Float64Array, columns: number): Float64Array {
  const norms = new Float64Array(values.length / columns);
  for (let i = 0; i < values.length; i++) norms[Math.floor(i / columns)] += values[i] * values[i];
  return norms;
}
