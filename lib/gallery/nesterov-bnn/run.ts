/** The chapter's table and targets, for the command line. */
import type { GallerySystem, Target } from "../system";
import {
  type Comparison,
  gapRatio,
  learned,
  learnedCurve,
  pictureTask,
  ringsTask,
  shapesTask,
  type Task,
  tolerances,
} from "./comparison";
import { digits } from "./digits";
import { cauchyBound } from "./exact";
import type { Dynamics } from "./method";
import { cauchyPosterior } from "./system";

const budgets = {
  smoke: { exact: 3, curve: 3, curvePaths: 4, rings: 2, shapes: 1, images: 200, digits: 0, rows: 20 },
  lesson: {
    exact: 250,
    curve: 250,
    curvePaths: 100,
    rings: 200,
    shapes: 5,
    images: 800,
    digits: 0,
    rows: 100,
  },
  full: {
    exact: 300,
    curve: 250,
    curvePaths: 100,
    rings: 300,
    shapes: 8,
    images: 1000,
    digits: 5,
    rows: 100,
  },
};

/** Settings of the exact check. */
export const exactTraining = { rate: 0.01, paths: 256, grid: 30, hidden: 32 };

/** What the comparison is between, by the names that tables use. */
export const dynamicsNames: readonly (readonly [string, Dynamics])[] = [
  ["plain", "plain"],
  ["Nesterov's", "nesterov"],
  ["bounded", "bounded"],
];

/** Ablations of the shapes' Nesterov network: what of h(0) is added to the last h. */
export const skips = {
  "h(0) added": { skip: 0.5 },
  "h(0) added by evaluations": { skip: 30, counted: true },
} as const;

/** The targets of one task. */
export function taskTargets(task: string, found: Readonly<Record<Dynamics, Comparison>>): Target[] {
  const { plain, nesterov, bounded } = found;
  const mean = ({ history }: Comparison) =>
    history.reduce((sum, own) => sum + own.evaluations, 0) / history.length;
  const ratio = (
    what: string,
    of: (own: Comparison) => number,
    beside: Record<string, number> = {},
  ): Target => ({
    what: `${task}: evaluations, Nesterov's over plain's, ${what}`,
    value: of(nesterov) / of(plain),
    at: "most",
    limit: 0.8,
    beside: { plain: of(plain), "bounded over plain": of(bounded) / of(plain), ...beside },
  });
  return [
    ...[1, 2].map((k) =>
      ratio(`tolerance ${tolerances[k]}`, ({ evaluations }) => evaluations[k], {
        "order 5 over plain": nesterov.highOrder[k] / plain.highOrder[k],
      }),
    ),
    ratio("mean of the training", mean),
    {
      what: `${task}: accuracy, Nesterov's less plain's`,
      value: nesterov.accuracy - plain.accuracy,
      at: "least",
      limit: 0,
      beside: { plain: plain.accuracy, "bounded less plain": bounded.accuracy - plain.accuracy },
    },
  ];
}

export const nesterovBnn: GallerySystem = {
  name: "nesterov-bnn",
  title: "Bayesian networks whose weights are SDEs, with Nesterov's dynamics",
  paper: "Yu & Fang 2026, arXiv 2603.25024; Xu et al. 2022; Nguyen et al. 2022",
  async run({ budget, seed, progress }) {
    const own = budgets[budget];
    progress("the evidence that is known");
    const exact = cauchyPosterior();
    const bound = cauchyBound({ ...exactTraining, steps: own.exact, seed });
    progress("a curve with a gap");
    const curves = (["nesterov", "plain"] as const).map((dynamics) => {
      const { x, deviation } = learnedCurve(dynamics, { epochs: own.curve, paths: own.curvePaths, seed });
      return gapRatio(x, deviation).ratio;
    });
    const split = own.digits > 0 ? digits(seed) : undefined;
    const tasks: [string, Task, number][] = [
      ["rings", ringsTask(seed), own.rings],
      ["shapes", shapesTask(seed, own.images), own.shapes],
      ...(split
        ? [["digits", pictureTask(split.train, split.test, 10, 0.9), own.digits] as [string, Task, number]]
        : []),
    ];
    const rows: { name: string; values: number[] }[] = [];
    const targets: Target[] = [];
    const row = (name: string, found: Comparison) =>
      rows.push({
        name,
        values: [found.accuracy, ...found.evaluations, found.reached, found.thereEvaluations],
      });
    for (const [name, task, epochs] of tasks) {
      const found = {} as Record<Dynamics, Comparison>;
      for (const [shown, dynamics] of dynamicsNames) {
        progress(`${name}, ${shown}`);
        found[dynamics] = learned(task, dynamics, { epochs, seed, rows: own.rows });
        row(`${name}, ${shown}`, found[dynamics]);
      }
      targets.push(...taskTargets(name, found));
      if (name !== "shapes" || budget !== "full") continue;
      for (const [shown, skip] of Object.entries(skips)) row(`${name}, Nesterov's, ${shown}`, learned(task, "nesterov", { epochs, seed, ...skip })); // prettier-ignore
    }
    return {
      columns: ["accuracy", ...tolerances.map((own) => `at ${own}`), "epochs to level", "evaluations there"],
      rows,
      targets: [
        {
          what: "one weight: bound off the evidence by (nat)",
          value: Math.abs(exact.logEvidence - bound.bound),
          at: "most",
          limit: 0.1,
          beside: {
            "by weights": Math.abs(exact.logEvidence - bound.weighted),
            untrained: exact.logEvidence - exact.priorBound,
          },
        },
        {
          what: "curve: deviation in the gap over that on data",
          value: curves[0],
          at: "least",
          limit: 2,
          beside: { plain: curves[1] },
        },
        ...targets,
      ],
    };
  },
};
