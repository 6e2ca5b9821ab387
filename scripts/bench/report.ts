/** The benchmark's results as tables, for a terminal and for a document. */
import { median } from "../../lib/evaluation/statistics";
import { table } from "../../lib/evaluation/table";

/** Milliseconds of rounds that were run by turns with those of the peers. */
export interface Result {
  readonly preset: string;
  readonly what: "step" | "forward";
  readonly rows: number;
  readonly parameters: number;
  /** median of each round */
  readonly tfjs: readonly number[];
  /** the same of each peer that is installed, by its name */
  readonly peers: Readonly<Record<string, readonly number[]>>;
  /** cores that other programs used in each round */
  readonly otherLoad: readonly number[];
}

/** Cores that are enough to be seen in the times. */
const COUNTING_LOAD = 0.1;

/** tfjs / peer of each round, by the peer's name: what slows the machine down for a while slows both. */
export function ratios({ tfjs, peers }: Result): Record<string, number[]> {
  const entries = Object.entries(peers).map(([name, theirs]) => [
    name,
    tfjs.map((own, i) => own / theirs[i]),
  ]);
  return Object.fromEntries(entries) as Record<string, number[]>;
}

/** What other programs did meanwhile, if it was enough to count. */
export function otherLoadNote(results: readonly Result[]): string | undefined {
  const load = results.map((result) => median(result.otherLoad));
  const most = Math.max(0, ...load);
  if (most < COUNTING_LOAD) return undefined;
  return `Other programs used up to ${most.toFixed(1)} cores meanwhile: measure again when the machine is quiet.`;
}

/** Three significant digits. */
const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
const withRange = (values: readonly number[], text: (value: number) => string): string =>
  `${text(median(values))} (${text(Math.min(...values))} to ${text(Math.max(...values))})`;

/** Medians over the rounds, with the smallest and the largest. */
export function resultTable(results: readonly Result[], markdown: boolean): string {
  const names = { step: "training step", forward: "denoising" };
  const peers = Object.keys(results[0]?.peers ?? {});
  const head = [
    "preset",
    "what",
    "rows",
    "tfjs, ms",
    ...peers.flatMap((peer) => [`${peer}, ms`, `tfjs / ${peer}`]),
  ];
  const rows = results.map((result) => {
    const theirs = Object.entries(ratios(result)).flatMap(([peer, ratio]) => [
      withRange(result.peers[peer], digits),
      withRange(ratio, (value) => value.toFixed(2)),
    ]);
    return [
      result.preset,
      names[result.what],
      String(result.rows),
      withRange(result.tfjs, digits),
      ...theirs,
    ];
  });
  return table([head, ...rows], 2, markdown);
}
