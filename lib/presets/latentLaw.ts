/** Whether the latent fields of a data set are of the law that the problem itself draws from. */
import { pickRows, rowConditions, type RowSource } from "../data/rows";
import type { DataSet } from "../dataSet";
import { Random } from "../random";
import { streams } from "../backend/streams";

/** Rows that are looked at, each beside a latent field that is drawn at its conditions. */
const MOST_ROWS = 2000;
/** Of fewer rows nothing is said. */
const LEAST_ROWS = 30;
/** Standard errors by which a mean must differ: chance does that once in 10^8 tests, or 10^6 with the fewest rows. */
const DEVIATIONS = 6;
/** Rows between two moments at which the work may be stopped. */
const ROWS_AT_ONCE = 128;

/** What is compared: numbers of a latent field (cells), each with its name. */
const STATISTICS: readonly (readonly [string, (latent: Float64Array) => number])[] = [
  ["mean", (latent) => average(latent, (value) => value)],
  ["mean square", (latent) => average(latent, (value) => value * value)],
  [
    "mean square of the step from cell to cell",
    (latent) => average(latent.subarray(1), (value, i) => (value - latent[i]) ** 2),
  ],
  [
    "rise from the left half to the right",
    (latent) => average(latent, (value, i) => (2 * i < latent.length ? -2 : 2) * value),
  ],
];

/**
 * A clause that says by what the latent fields differ from those that the problem draws at the same conditions; undefined
 * where they do not, where there are none, and where the rows are too few to tell. Means over the rows are compared, of four
 * numbers of a field: a law that agrees in these passes for the problem's. Yields now and then, so that the work can be
 * stopped.
 */
export function* otherLaw(data: DataSet | RowSource): Generator<void, string | undefined, void> {
  const { problem } = data;
  const count = Math.min(data.rows, MOST_ROWS);
  if (count < LEAST_ROWS) return undefined;
  const rows = pickRows(
    data,
    Array.from({ length: count }, (_, k) => Math.floor((k * data.rows) / count)),
  );
  if (!rows.latent) return undefined;
  const random = new Random(1, streams.latentLaw);
  const drawn = new Float64Array(problem.cells);
  const unused = new Float64Array(problem.fields.length * problem.cells);
  const sums = STATISTICS.map(() => ({ own: 0, drawn: 0, difference: 0, squares: 0 }));
  for (let row = 0; row < count; row++) {
    if (row % ROWS_AT_ONCE === 0) yield;
    problem.simulate(rowConditions(rows, row), random, drawn, unused);
    const own = rows.latent.subarray(row * problem.cells, (row + 1) * problem.cells);
    STATISTICS.forEach(([, of], s) => {
      const [a, b] = [of(own), of(drawn)];
      sums[s].own += a;
      sums[s].drawn += b;
      sums[s].difference += a - b;
      sums[s].squares += (a - b) ** 2;
    });
  }
  const deviations = sums.map(({ difference, squares }) => {
    const mean = difference / count;
    return Math.abs(mean) / Math.sqrt((squares / count - mean * mean) / (count - 1));
  });
  const worst = deviations.reduce((most, value, s) => (value > deviations[most] ? s : most), 0);
  if (!(deviations[worst] > DEVIATIONS)) return undefined;
  const [own, usual] = [sums[worst].own, sums[worst].drawn].map((sum) =>
    Number((sum / count).toPrecision(3)),
  );
  return `${STATISTICS[worst][0]} ${own} in place of ${usual}`;
}

function average(values: Float64Array, of: (value: number, i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += of(values[i], i);
  return sum / values.length;
}
