/** What several seeds gave, as the documentation shows it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { targetsOverSeeds } from "../lib/gallery/results";
import type { Target } from "../lib/gallery/system";
import { systems } from "../lib/gallery/systems";
import { formatResult, resultsTable } from "../scripts/cli/gallery";

test("docs/gallery.md has the table that the command prints", () => {
  const text = readFileSync(path.join(__dirname, "..", "docs", "gallery.md"), "utf8");
  const [, shown] = /gallery --results -->\n+([^]*?)\n+<!-- end/.exec(text)!;
  const cells = (table: string) =>
    table.split("\n").map((line) => line.replace(/\s+/g, "").replace(/-+/g, "-"));
  assert.deepEqual(cells(shown), cells(resultsTable(systems)), "npx porous-sgm gallery --results");
});

test("targets over seeds: medians, means of shares, and what one run or a smoke run cannot judge", () => {
  const run = (seed: number, targets: Target[]) => ({ seed, seconds: 1, columns: [], rows: [], targets });
  const error = (value: number): Target => {
    return { what: "error", value, at: "most", limit: 3, beside: { other: 2 * value } };
  };
  const share = (value: number): Target => ({ what: "holds", value, at: "least", limit: 0.5, share: true });
  const results = [run(1, [error(1), share(1)]), run(2, [error(9), share(0)]), run(3, [error(2), share(0)])];
  const [first, second] = targetsOverSeeds({ budget: "full", results: [...results, run(4, [share(1)])] });
  assert.deepEqual(
    [first.median, first.least, first.most, first.met, first.beside],
    [2, 1, 9, true, { other: 4 }],
  );
  assert.deepEqual([second.median, second.met], [0.5, true]);
  const text = (budget: "smoke" | "full") => formatResult(run(2, [error(9), share(0)]), budget);
  assert.match(text("full"), /error .* MISSED\n *holds .* not judged/);
  assert.doesNotMatch(text("smoke"), /MISSED/);
});
