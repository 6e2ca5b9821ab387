/** Distances of all rows of one set to all rows of another. */

/** Below this share of the squares of two rows their product leaves too few digits of the square of the distance. */
const CLOSE = 1e-3;

/**
 * Visits the Euclidean distance of every row of x (rows, columns) to every row of y; with x === y only the pairs i < j.
 *
 * |a - b|^2 is |a|^2 + |b|^2 - 2 a b, which takes a third fewer operations than the differences; of rows that are close the
 * differences are taken, so that a distance errs by 1e-12 of itself at most. Two rows of x and four of y at a time, since
 * each number that is read then serves several sums.
 */
export function forEachDistance(
  x: Float64Array,
  y: Float64Array,
  columns: number,
  visit: (i: number, j: number, distance: number) => void,
): void {
  const [n, m] = [x.length / columns, y.length / columns];
  const [xx, yy] = [squares(x, columns), squares(y, columns)];
  const products = new Float64Array(8);
  for (let i = 0; i < n; i += 2) {
    for (let j = x === y ? i + 1 : 0; j < m; j += 4) {
      multiply(x, y, columns, i, j, products);
      for (let k = 0; k < 8; k++) {
        const a = i + (k >> 2);
        const b = j + (k & 3);
        if (a >= n || b >= m || (x === y && b <= a)) continue;
        const both = xx[a] + yy[b];
        const square = both - 2 * products[k];
        visit(a, b, Math.sqrt(square > CLOSE * both ? square : squaredDistance(x, y, columns, a, b)));
      }
    }
  }
}

/** Products of the rows i and i + 1 of x with the rows j .. j + 3 of y, where there are so many: written (2, 4). */
function multiply(
  x: Float64Array,
  y: Float64Array,
  columns: number,
  i: number,
  j: number,
  products: Float64Array,
): void {
  const [lastX, lastY] = [x.length - columns, y.length - columns]; // past the last row that one stands in
  const a = i * columns;
  const b = Math.min(a + columns, lastX);
  const p = j * columns;
  const q = Math.min(p + columns, lastY);
  const r = Math.min(p + 2 * columns, lastY);
  const s = Math.min(p + 3 * columns, lastY);
  let [ap, aq, ar, as, bp, bq, br, bs] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let k = 0; k < columns; k++) {
    const one = x[a + k];
    const two = x[b + k];
    const yp = y[p + k];
    const yq = y[q + k];
    const yr = y[r + k];
    const ys = y[s + k];
    ap += one * yp;
    aq += one * yq;
    ar += one * yr;
    as += one * ys;
    bp += two * yp;
    bq += two * yq;
    br += two * yr;
    bs += two * ys;
  }
  products.set([ap, aq, ar, as, bp, bq, br, bs]);
}

/** The sum of the squares of each row: (rows). */
function squares(values: Float64Array, columns: number): Float64Array {
  const sums = new Float64Array(values.length / columns);
  for (let i = 0; i < values.length; i++) sums[Math.floor(i / columns)] += values[i] * values[i];
  return sums;
}

function squaredDistance(x: Float64Array, y: Float64Array, columns: number, i: number, j: number): number {
  let sum = 0;
  for (let k = 0; k < columns; k++) sum += (x[i * columns + k] - y[j * columns + k]) ** 2;
  return sum;
}
