/** Plain and Nesterov's dynamics on the same task: what they learn, and how often an adaptive integrator evaluates f. */
import { dormandPrince, heunEuler, type Pair } from "../adaptiveRungeKutta";
import { accuracy, Learner, probabilities, spread, training, type TrainingSettings } from "./learner";
import type { Architecture, Dynamics } from "./method";
import { chosen, curve, curveNoise, type Examples, rings, scaledInput, shapeNames, shapes } from "./system";

/** Examples, and the networks that learn them. */
export interface Task {
  readonly train: Examples;
  readonly test: Examples;
  readonly architecture: (dynamics: Dynamics) => Architecture;
  readonly settings: Omit<TrainingSettings, "epochs">;
  /** An accuracy that is asked for: when is it reached? */
  readonly level: number;
}

/** The disk and the ring. Nesterov's f is narrower, as in Nguyen et al. 2022, whose sizes these are. */
export function ringsTask(seed: number): Task {
  return {
    train: rings(seed),
    test: rings(seed + 1000, 100),
    architecture: (dynamics) => {
      const width = dynamics === "plain" ? 20 : 14;
      const [hidden, activation] = [[width, width], "elu" as const];
      return {
        dynamics,
        inputs: 2,
        outputs: 2,
        state: 2,
        encoder: false,
        hidden,
        activation,
        sigma: 0.1,
        control: 16,
      };
    },
    settings: { ...training, batch: 120 },
    level: 0.9,
  };
}

/** Pictures: a learned linear map to 16 numbers, then f with one hidden layer of 32. */
export function pictureTask(train: Examples, test: Examples, classes: number, level: number): Task {
  const { inputs } = train;
  return {
    train,
    test,
    architecture: (dynamics) => {
      const [hidden, activation] = [[32], "tanh" as const];
      return {
        dynamics,
        inputs,
        outputs: classes,
        state: 16,
        encoder: true,
        hidden,
        activation,
        sigma: 0.1,
        control: 16,
      };
    },
    settings: training,
    level,
  };
}

export function shapesTask(seed: number, count: number): Task {
  return pictureTask(shapes(seed, count), shapes(seed + 1000, 1000), shapeNames.length, 0.95);
}

/** One training, and what its adaptive solutions cost. */
export interface Comparison {
  /** After some epochs, of some tests: accuracy, and evaluations at a tolerance of 1e-3. */
  readonly history: readonly {
    readonly epoch: number;
    readonly accuracy: number;
    readonly evaluations: number;
  }[];
  readonly accuracy: number;
  /** Evaluations by Heun's pair at the tolerances below, and root mean square errors of the classes' probabilities. */
  readonly evaluations: readonly number[];
  readonly errors: readonly number[];
  /** The same by Dormand and Prince's pair. */
  readonly highOrder: readonly number[];
  /** First epoch whose accuracy is at least the task's level, from 1, and its evaluations; NaN where none is. */
  readonly reached: number;
  readonly thereEvaluations: number;
}

export const tolerances = [1e-2, 1e-3, 1e-4] as const;

/** Points of the weights' paths where the equation is solved, over those of the training. */
const FINE = 4;
/** How often a training is looked at, at most. */
const LOOKS = 10;

/** Trains one network on a task and counts, with `rows` of the tests. */
export function learned(
  { train, test, architecture, settings, level }: Task,
  dynamics: Dynamics,
  options: { epochs: number; seed: number; rows?: number } & Pick<TrainingSettings, "skip" | "counted">,
): Comparison {
  const { epochs, seed, rows = 100, ...skip } = options;
  const own = architecture(dynamics);
  const learner = new Learner(own, seed);
  const every = test.y.length / rows;
  const some = chosen(test, Array.from({ length: rows }, (_, k) => Math.floor(k * every))); // prettier-ignore
  const solve = (paths: number, tolerance: number, pair: Pair = heunEuler, examples = some) =>
    learner.solve(examples, { paths, grid: FINE * settings.grid, tolerance, pair, seed: 0 });
  const history: { epoch: number; accuracy: number; evaluations: number }[] = [];
  let epoch = 0;
  for (const trained of learner.train(train, { ...settings, ...skip, epochs })) {
    void trained;
    if (++epoch % Math.ceil(epochs / LOOKS) !== 0) continue;
    const { outputs, evaluations } = solve(2, 1e-3);
    history.push({ epoch, accuracy: accuracy(outputs, some, own.outputs), evaluations });
  }
  const known = (outputs: Float64Array) => probabilities(outputs, 2 * rows, own.outputs); // of each path
  const exact = known(solve(2, 1e-7, dormandPrince).outputs);
  const rough = tolerances.map((tolerance) => solve(2, tolerance));
  const errors = rough.map(({ outputs }) =>
    rootMeanSquare(known(outputs).map((value, i) => value - exact[i])),
  );
  const evaluations = rough.map((solution) => solution.evaluations);
  const whole = solve(8, 1e-2, heunEuler, test);
  const highOrder = tolerances.map((tolerance) => solve(2, tolerance, dormandPrince).evaluations);
  learner.dispose();
  const there = history.find((look) => look.accuracy >= level);
  return {
    history,
    accuracy: accuracy(whole.outputs, test, own.outputs),
    evaluations,
    errors,
    highOrder,
    reached: there?.epoch ?? NaN,
    thereEvaluations: there?.evaluations ?? NaN,
  };
}

function rootMeanSquare(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

/** The curve's network, trained, with what it says of x from 0 to 8: mean and deviation over paths. */
export function learnedCurve(
  dynamics: Dynamics,
  { epochs, paths, seed, sigma = 0.2 }: { epochs: number; paths: number; seed: number; sigma?: number },
) {
  const learner = new Learner(
    { dynamics, inputs: 1, outputs: 1, state: 3, encoder: false, hidden: [64], activation: "tanh", sigma, control: 32 },
    seed,
  ); // prettier-ignore
  const examples = curve(seed);
  const settings = { ...training, ...curveTraining, batch: examples.y.length };
  const losses = Array.from(learner.train(examples, { ...settings, epochs }));
  const x = Float64Array.from({ length: 81 }, (_, k) => k / 10);
  const places = { inputs: 1, x: x.map(scaledInput), y: new Float64Array(x.length) };
  const { outputs } = learner.solve(places, { paths, grid: settings.grid, tolerance: 1e-2, seed: 3 });
  learner.dispose();
  return { examples, losses, x, outputs, ...spread(outputs, x.length) };
}

/** Of the curve: values with known noise. */
export const curveTraining = { paths: 16, rate: 0.03, grid: 20, noise: curveNoise };

/** Root mean square deviation in the middle of the gap, 2.5 to 5.5, over that where data are. */
export function gapRatio(
  x: Float64Array,
  deviation: Float64Array,
): { gap: number; data: number; ratio: number } {
  const over = (inside: (x: number) => boolean) => rootMeanSquare(deviation.filter((_, k) => inside(x[k])));
  const gap = over((own) => own >= 2.5 && own <= 5.5);
  const data = over((own) => own <= 2 || own >= 6);
  return { gap, data, ratio: gap / data };
}
