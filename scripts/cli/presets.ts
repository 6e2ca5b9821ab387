import { Command } from "commander";
import { measured } from "../../lib/presets/measured";
import { presets } from "../../lib/presets/presets";
import { table } from "../../lib/evaluation/table";

const HEADS = [
  "preset",
  "convention",
  "steps",
  "minutes x cores",
  "reference",
  "median",
  "worst",
  "of conditions",
];

/** One row a preset and convention: what it took and what it reached. */
function rows(): string[][] {
  return measured.map((row) => [
    row.preset,
    row.convention,
    String(row.steps),
    `${row.minutes} x ${row.cores}`,
    ...[row.reference, row.median, row.worst].map((ratio) => ratio.toPrecision(3)),
    String(row.conditions),
  ]);
}

/** The measured presets as a table. */
export function presetTable(markdown: boolean): string {
  return table([HEADS, ...rows()], 2, markdown);
}

function show({ markdown = false }: { markdown?: boolean }): void {
  const described = Object.entries(presets).map(
    ([name, { description }]) => `${name.padEnd(8)}${description}`,
  );
  const text = markdown
    ? [presetTable(true)]
    : [
        ...described,
        "",
        "Measured floor ratios (1 = indistinguishable from the PDE), n = 2000:",
        "",
        presetTable(false),
      ];
  process.stdout.write(`${text.join("\n")}\n`);
}

export function command(): Command {
  return new Command("presets")
    .option("--markdown", "print the table of measurements alone, in Markdown")
    .action(show);
}
