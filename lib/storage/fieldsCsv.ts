/** Fields as text, as `sample` and `solve` write them. */
import { allocateDataSet } from "../data/rows";
import type { DataSet } from "../dataSet";
import { InputError, shown } from "../backend/errors";
import type { Problem } from "../problem";
import { numbers, rows } from "./csv";

/** Rows at a time. */
const BATCH_ROWS = 256;

/**
 * Reads fields from text: a header of names such as c_0, ..., phi_99, in any order and with others beside them, then one row a
 * realisation; all at the given conditions. Yields data sets without latent field. Throws InputError naming the line and the
 * column of what is not allowed.
 */
export async function* readFieldsCsv(
  file: string,
  problem: Problem,
  conditions: Float64Array,
): AsyncGenerator<DataSet> {
  const names = problem.fields.flatMap(({ name }) =>
    Array.from({ length: problem.cells }, (_, i) => `${name}_${i}`),
  );
  let columns: readonly number[] | undefined;
  let batch = allocateDataSet(problem, BATCH_ROWS);
  let filled = 0;
  const part = (): DataSet => ({
    problem,
    rows: filled,
    conditions: batch.conditions.subarray(0, filled * conditions.length),
    fields: batch.fields.subarray(0, filled * names.length),
  });
  for await (const row of rows(file)) {
    const { header = [] } = row;
    columns ??= names.map((name) => header.indexOf(name));
    if (columns.includes(-1)) {
      throw new InputError(
        `Column ${names[columns.indexOf(-1)]} is missing in ${shown(file)}; give a header with ${names[0]} to ` +
          `${names[names.length - 1]}, as sample and solve write it.`,
      );
    }
    const cells = columns.map((column) => row.cells[column] ?? "");
    batch.fields.set(numbers(file, { ...row, cells }), filled * names.length);
    batch.conditions.set(conditions, filled * conditions.length);
    if (++filled < BATCH_ROWS) continue;
    yield part();
    [batch, filled] = [allocateDataSet(problem, BATCH_ROWS), 0];
  }
  if (filled > 0) yield part();
}
