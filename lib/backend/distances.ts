/** Distances of all rows of one set to all rows of another. */

/**
 * Visits the Euclidean distance of every row of x (rows, columns) to every row of y; with x === y only the pairs i < j.
 *
 * Four rows of y at a time take half the time of one after the other: their sums need not wait for one another.
 */
export function forEachDistance(
  x: Float64Array,
  y: Float64Array,
  columns: number,
  visit: (i: number, j: number, distance: number) => void,
): void {
  const [n, m] = [x.length / columns, y.length / columns];
  const startOf = (row: number) => Math.min(row, m - 1) * columns; // past the last row that one stands in
  for (let i = 0; i < n; i++) {
    for (let j = x === y ? i + 1 : 0; j < m; j += 4) {
      const from = i * columns;
      const p = startOf(j);
      const q = startOf(j + 1);
      const r = startOf(j + 2);
      const s = startOf(j + 3);
      let [toP, toQ, toR, toS] = [0, 0, 0, 0];
      for (let k = 0; k < columns; k++) {
        const value = x[from + k];
        toP += (value - y[p + k]) ** 2;
        toQ += (value - y[q + k]) ** 2;
        toR += (value - y[r + k]) ** 2;
        toS += (value - y[s + k]) ** 2;
      }
      visit(i, j, Math.sqrt(toP));
      if (j + 1 < m) visit(i, j + 1, Math.sqrt(toQ));
      if (j + 2 < m) visit(i, j + 2, Math.sqrt(toR));
      if (j + 3 < m) visit(i, j + 3, Math.sqrt(toS));
    }
  }
}
