/** The chapter's table and targets, for the command line. */
import { finish } from "../../backend/interrupt";
import type { GallerySystem, Target } from "../system";
import type { Closure } from "./closures";
import { CoarseFlow } from "./coarse";
import { sides } from "./flow";
import { directSimulation, INTERVAL, keptSimulation } from "./flowData";
import { fitLinear } from "./linearClosure";
import { closureCost, simulate, startWeights, train, type TrainingSettings } from "./method";
import { columnMeans, featureDistance, shellRatios, statisticsOf } from "./statistics";
import { closures, type Reference, storedClosures, storedReference, unpacked } from "./stored";
import { idealSlope } from "./system";

/** How closures are trained: on four simulations, one interval ahead. */
export const training = { batch: 32, paths: 4, intervals: 1, steps: 600, rate: 0.01, beta: 1e-3 };
/** Streams of the direct simulations that closures are trained on, and of those that they are compared with. */
export const streams = { training: [0, 1, 2, 3], reference: [4, 5, 6, 7, 8, 9, 10, 11] };

const budgets = {
  smoke: { linear: { steps: 5, batch: 64 }, time: 3, skipped: 1, paths: 2, training: { ...training, batch: 4, steps: 3 } },
  lesson: { linear: { steps: 300, batch: 1024 }, time: 200, skipped: 10, paths: 8, training: undefined },
  full: { linear: { steps: 300, batch: 1024 }, time: 200, skipped: 10, paths: 8, training },
}; // prettier-ignore

/** Trains a closure on simulations that are there or are made. */
export function trained(
  flow: CoarseFlow,
  closure: Closure,
  settings: TrainingSettings,
  simulations: readonly Float32Array[],
): Float32Array {
  return finish(train(flow, closure, startWeights(closure, flow, settings.seed), simulations, settings));
}

/** A short direct simulation, for lessons: [snapshots, 24, 24]. */
export function shortSimulation(before: number, kept: number): Float32Array {
  const snapshots = Array.from(directSimulation(0, { before, kept, step: 0.01 }));
  const all = new Float32Array(snapshots.length * snapshots[0].length);
  snapshots.forEach((own, k) => all.set(own, k * own.length));
  return all;
}

/** Eight large-eddy simulations from where the reference starts, and what became of them. */
export function rollouts(
  flow: CoarseFlow,
  closure: Closure | undefined,
  weights: Float32Array,
  reference: Reference,
  settings: { time: number; skipped: number; paths: number; seed: number },
) {
  const { time, skipped, paths, seed } = settings;
  const intervals = Math.round(time / INTERVAL);
  const steps = simulate(flow, closure, weights, unpacked(reference.starts), { intervals, paths, seed });
  const { flows, blownUp } = statisticsOf(steps, skipped);
  const failed = blownUp !== undefined || flows.length === 0;
  const shells = failed ? [] : flows.map((own) => own.shells);
  return {
    blownUp,
    stable: failed ? 0 : flows.length,
    ratios: failed ? new Array<number>(10).fill(Infinity) : shellRatios(shells, reference),
    distance: failed ? Infinity : featureDistance(flows.flatMap((own) => own.features), reference.features), // prettier-ignore
  };
}

/** The largest energy of shells 5 to 7 over the reference's, and the largest relative error of shells 1 to 4. */
export function worstShells(ratios: readonly number[]): { high: number; low: number } {
  return {
    high: Math.max(...ratios.slice(4, 7)),
    low: Math.max(...ratios.slice(0, 4).map((ratio) => Math.abs(ratio - 1))),
  };
}

export const idealLes: GallerySystem = {
  name: "ideal-les",
  title: "Neural ideal large-eddy simulation",
  paper:
    "Boral, Wan, Zepeda-Nunez, Lottes, Wang, Chen, Anderson & Sha, Neural Ideal Large Eddy Simulation, NeurIPS 2023",
  async run({ budget, seed, progress }) {
    const own = budgets[budget];
    progress("a linear system whose ideal closure is known");
    const linear = fitLinear({ ...own.linear, paths: 4, beta: 3e-4, seed });
    const flow = new CoarseFlow(sides.les);
    const both = closures();
    const reference = storedReference();
    let weights: Record<keyof typeof both, Float32Array>;
    if (own.training) {
      progress("direct simulations (minutes, once)");
      const simulations = budget === "smoke" ? [shortSimulation(1, 2)] : streams.training.map(keptSimulation);
      const learn = (closure: Closure) => trained(flow, closure, { ...own.training, seed }, simulations);
      progress("training of the convolution");
      const convolution = learn(both.convolution);
      progress("training of the same network without noise");
      const quiet = learn(both.quiet);
      progress("training of neural ideal LES");
      weights = { convolution, quiet, ideal: learn(both.ideal) };
    } else {
      const stored = storedClosures();
      const { convolution, quiet, ideal } = stored;
      weights = { convolution: unpacked(convolution), quiet: unpacked(quiet), ideal: unpacked(ideal) };
    }
    const runs = [
      { name: "no closure", closure: undefined, weights: new Float32Array(1) },
      { name: "convolution", closure: both.convolution, weights: weights.convolution },
      { name: "without noise", closure: both.quiet, weights: weights.quiet },
      { name: "neural ideal LES", closure: both.ideal, weights: weights.ideal },
    ].map(({ name, closure, weights: all }) => {
      progress(`eight simulations to t = ${own.time}: ${name}`);
      return { name, ...rollouts(flow, closure, all, reference, { ...own, seed }) };
    });
    const [none, convolution, quiet, ideal] = runs;
    const half = reference.shells.length / 2;
    const rows = reference.features.length / 2;
    const [first, second] = [reference.shells.slice(0, half), reference.shells.slice(half)].map(columnMeans);
    const exact = {
      name: "direct, half by half",
      ratios: first.map((energy, k) => energy / second[k]),
      distance: featureDistance(reference.features.slice(0, rows), reference.features.slice(rows)),
    };
    const cost = closureCost(flow, both.ideal, weights.ideal, unpacked(reference.starts), {
      paths: own.paths,
      seed,
    });
    const beside = (of: (run: (typeof runs)[number]) => number) => ({
      "no closure": of(none),
      convolution: of(convolution),
      "without noise": of(quiet),
    });
    const most = (what: string, limit: number, of: (run: (typeof runs)[number]) => number): Target => {
      return { what, value: of(ideal), at: "most", limit, beside: beside(of) };
    };
    return {
      columns: [...Array.from({ length: 8 }, (_, k) => `k = ${k + 1}`), "distance", "KL (nat)", "noise g"],
      rows: [exact, ...runs].map(({ name, ratios, distance }) => {
        const last = name === ideal.name ? [cost.kl, cost.noise] : [NaN, NaN];
        return { name, values: [...ratios.slice(0, 8), distance, ...last] };
      }),
      targets: [
        {
          what: "linear system: error of the closure's slope",
          value: Math.abs(linear.slope - idealSlope()),
          at: "most",
          limit: 0.03,
        },
        most(
          "largest energy of shells 5 to 7 over the direct one's",
          1.25,
          ({ ratios }) => worstShells(ratios).high,
        ),
        most("largest relative error of shells 1 to 4", 0.15, ({ ratios }) => worstShells(ratios).low),
        {
          what: `of 8 simulations that reach t = ${own.time}`,
          value: ideal.stable,
          at: "least",
          limit: 8,
          beside: beside(({ stable }) => stable),
        },
        {
          what: "energy distance of the spectra, over the convolution's",
          value: ideal.distance / convolution.distance,
          at: "most",
          limit: 1,
          beside: {
            "no closure": none.distance / convolution.distance,
            "without noise": quiet.distance / convolution.distance,
            [exact.name]: exact.distance / convolution.distance,
          },
        },
      ],
    };
  },
};
