/** What the notebooks use of danfo.js, whose package needs Node: a table with a summary. */
type Row = Readonly<Record<string, unknown>>;

export class DataFrame {
  readonly columns: readonly string[];
  readonly index: readonly (string | number)[];
  readonly values: readonly (readonly unknown[])[];

  constructor(
    rows: readonly Row[] | readonly (readonly unknown[])[],
    { columns, index }: { columns?: readonly string[]; index?: readonly (string | number)[] } = {},
  ) {
    this.columns = columns ?? Object.keys(rows[0]);
    this.values = rows.map((row) =>
      Array.isArray(row) ? row : this.columns.map((name) => (row as Row)[name]),
    );
    this.index = index ?? rows.map((_, i) => i);
  }

  /** Of each column the summary that danfo.js gives. */
  describe(): DataFrame {
    const names = ["count", "mean", "std", "min", "median", "max", "variance"];
    const summaries = this.columns.map((_, k) => {
      const values = this.values.map((row) => Number(row[k])).sort((a, b) => a - b);
      const count = values.length;
      const mean = values.reduce((sum, x) => sum + x, 0) / count;
      const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (count - 1);
      const median = (values[(count - 1) >> 1] + values[count >> 1]) / 2;
      return [count, mean, Math.sqrt(variance), values[0], median, values[count - 1], variance];
    });
    const rows = names.map((_, i) => summaries.map((summary) => summary[i]));
    return new DataFrame(rows, { columns: this.columns, index: names });
  }

  round(digits: number): DataFrame {
    const rows = this.values.map((row) => row.map((value) => Number(Number(value).toFixed(digits))));
    return new DataFrame(rows, { columns: this.columns, index: this.index });
  }
}
