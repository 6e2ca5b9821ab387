/** Tables for a terminal, a notebook and a document. */

/** One line of cells, each at least as wide as its column: the first `textColumns` set left, the others right. */
export function tableLine(cells: readonly string[], widths: readonly number[], textColumns = 1): string[] {
  return cells.map((cell, i) => (i < textColumns ? cell.padEnd(widths[i]) : cell.padStart(widths[i])));
}

/** Rows of cells, the first of them the heads; columns from `textColumns` on hold numbers, which are set right. */
export function table(rows: readonly (readonly string[])[], textColumns: number, markdown: boolean): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) => tableLine(row, widths, textColumns));
  if (!markdown) return lines.map((cells) => cells.join("   ").trimEnd()).join("\n");
  const rule = widths.map((width, i) => (i < textColumns ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [lines[0], rule, ...lines.slice(1)].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
