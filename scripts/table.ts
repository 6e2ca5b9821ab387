/** Tables for a terminal and for a document. */

/** Rows of cells, the first of them the heads; columns from the second on that hold numbers are set right. */
export function table(rows: readonly (readonly string[])[], textColumns: number, markdown: boolean): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const padded = (row: readonly string[]): string[] =>
    row.map((cell, i) => (i < textColumns ? cell.padEnd(widths[i]) : cell.padStart(widths[i])));
  if (!markdown) return rows.map((row) => padded(row).join("   ").trimEnd()).join("\n");
  const rule = widths.map((width, i) => (i < textColumns ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  const [head, ...body] = rows.map(padded);
  return [head, rule, ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
