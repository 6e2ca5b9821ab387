/** The chapter's table and targets, for the command line. */
import { finish } from "../../backend/interrupt";
import type { Budget, GalleryResult, GallerySystem, Target } from "../system";
import * as likelihood from "./likelihood";
import * as method from "./method";
import { particleDrift, simulateParticle, simulateWave, wave, waveAverage, waveDrift } from "./system";

const budgets = {
  smoke: { endTime: 50, steps: 100, posteriorSteps: 400, seeds: 1, covered: 0 },
  lesson: { endTime: 2000, steps: 800, posteriorSteps: 600, seeds: 1, covered: 0 },
  full: { endTime: 2000, steps: 1000, posteriorSteps: 1000, seeds: 5, covered: 20 },
};

/** Observations of the tagged particle, in units of time: 15,000 intervals, as in the paper. */
const PARTICLE_TIME = 150;

/** What one path of the wave gives. */
function waveResult(
  { endTime, steps, posteriorSteps }: (typeof budgets)[Budget],
  seed: number,
  learned: boolean,
) {
  const path = simulateWave({ endTime }, seed);
  const data = likelihood.increments(path);
  const settings = { ...method.flowSettings, steps };
  const exact = likelihood.linearPosterior(data, (x) => [-x, waveAverage(x)]);
  const posteriorOf = (average: ArrayLike<number>) => {
    const features = [data.x.map((x) => -x), average];
    const fitted = finish(method.fitPosterior(features, data, { ...settings, steps: posteriorSteps }, seed));
    return method.summary(method.drawsOf(fitted, 16384, seed), 2);
  };
  const posterior = posteriorOf(Float64Array.from(data.x, waveAverage));
  const deviations = [0, 1].map((i) => Math.sqrt(exact.covariance.get(i, i)));
  const truth = [wave.lambda, wave.amplitude];
  const quiet = likelihood.linearPosterior(likelihood.increments(path, undefined, true), (x) => [
    -x,
    waveAverage(x),
  ]);
  const shared = {
    exact,
    deviations,
    posterior,
    quiet,
    covered: posterior.map(({ low, high }, i) => low <= truth[i] && truth[i] <= high),
    meanOff: Math.max(...posterior.map(({ mean }, i) => Math.abs(mean - exact.mean[i]) / deviations[i])),
    deviationOff: Math.max(...posterior.map(({ deviation }, i) => Math.abs(deviation / deviations[i] - 1))),
    bias: Math.max(...truth.map((value, i) => Math.abs(quiet.mean[i] - value) / deviations[i])),
  };
  if (!learned) return { ...shared, rows: undefined, learnedLaw: undefined };
  const flow = finish(method.fitFlow(method.waveModel, data, settings, seed));
  const grid = likelihood.gridFit(data).drift;
  const best = likelihood.gain(data, grid);
  const means = Array.from({ length: 29 }, (_, k) => 0.05 * k);
  const drifts: Record<string, ArrayLike<number>> = {
    flow: method.flowDrift(method.waveModel, flow, data.x),
    "any law on a grid": grid,
    "true law": exact.drift,
    "normal law": likelihood.gaussianFit(data, means).drift,
    "normal law, mean 0": likelihood.gaussianFit(data, [0]).drift,
    "polynomial of degree 5": likelihood.polynomialFit(data).drift,
    network: finish(method.fitNetwork(data, settings, seed)),
  };
  const rows = Object.entries(drifts).map(([name, b]) => ({
    name,
    error: likelihood.driftError(data, b, waveDrift),
    below: best - likelihood.gain(data, b),
  }));
  return { ...shared, rows, learnedLaw: posteriorOf(method.flowAverage(flow, data.x)) };
}

/** Relative errors of the tagged particle's drift: of a flow and of a network. */
function particleResult(endTime: number, steps: number, seed: number): { flow: number; network: number } {
  const data = likelihood.increments(simulateParticle({ endTime }, seed));
  const settings = { ...method.flowSettings, penalty: 0.01, steps };
  const flow = finish(method.fitFlow(method.particleModel, data, settings, seed));
  const network = finish(method.fitNetwork(data, settings, seed));
  const error = (b: ArrayLike<number>) => likelihood.driftError(data, b, particleDrift);
  return { flow: error(method.flowDrift(method.particleModel, flow, data.x)), network: error(network) };
}

export const multiscaleFlows: GallerySystem = {
  name: "multiscale-flows",
  title: "Multiscale stochastic models by normalising flows",
  paper: "Saha & Ganguly 2026, Learning stochastic multiscale models through normalizing flows",
  async run({ budget, seed, progress }): Promise<GalleryResult> {
    const chosen = budgets[budget];
    const { endTime, steps, seeds, covered } = chosen;
    const results: ReturnType<typeof waveResult>[] = [];
    for (let k = 0; k < Math.max(seeds, covered); k++) {
      progress(`path ${k + 1} of ${Math.max(seeds, covered)}: simulated and learned`);
      results.push(waveResult(chosen, seed + k, k < seeds));
    }
    progress("the tagged particle");
    const particles = Array.from({ length: seeds }, (_, k) =>
      particleResult(Math.min(PARTICLE_TIME, endTime), steps, seed + k),
    );
    const [{ exact, deviations, posterior, learnedLaw = [], quiet }] = results;
    const fitted = results.flatMap(({ rows }) => (rows ? [rows] : []));
    const medianOf = (name: string, of: "error" | "below") =>
      median(fitted.map((rows) => rows.find((row) => row.name === name)![of]));
    const ratio = (a: number, b: number) => (b / a) ** 2;
    const worst = (of: "meanOff" | "deviationOff" | "bias") => Math.max(...results.map((own) => own[of]));
    const none = [NaN, NaN];
    const row = (name: string, numbers: { mean: number; deviation: number }[]) => ({
      name,
      values: [...none, ...numbers.flatMap(({ mean, deviation }) => [mean, deviation])],
    });
    const alike = (mean: ArrayLike<number>) =>
      deviations.map((own, i) => ({ mean: mean[i], deviation: own }));
    const particleError = (of: "flow" | "network") => median(particles.map((own) => own[of]));
    const targets: Target[] = [
      { what: "second flow, mean off by, in deviations", value: worst("meanOff"), at: "most", limit: 0.3 },
      { what: "second flow, deviation off by", value: worst("deviationOff"), at: "most", limit: 0.15 },
    ];
    if (budget !== "smoke") {
      // What depends on how long a path was seen.
      const flow = medianOf("flow", "error");
      const network = ratio(flow, medianOf("network", "error"));
      targets.push(
        { what: "flow, error of the drift", value: flow, at: "most", limit: 0.08 },
        {
          what: "flow's error in the polynomial's",
          value: flow / medianOf("polynomial of degree 5", "error"),
          at: "most",
          limit: 1,
        },
        {
          what: "flow, nats below any law on a grid",
          value: medianOf("flow", "below"),
          at: "most",
          limit: 3,
        },
        { what: "network's squared error in the flow's", value: network, at: "least", limit: 4 },
        {
          what: "the same for the tagged particle",
          value: ratio(particleError("flow"), particleError("network")),
          at: "least",
          limit: 4,
        },
        {
          what: "simulation's bias of lambda, amplitude, in deviations",
          value: worst("bias"),
          at: "most",
          limit: 0.5,
        },
      );
    }
    if (covered > 0) {
      const counts = [0, 1].map((i) => results.filter((own) => own.covered[i]).length);
      targets.push({
        what: `90 % intervals that hold the truth, of ${covered}, fewer of both`,
        value: Math.min(...counts),
        at: "least",
        limit: 15,
      });
    }
    return {
      columns: ["drift error", "nats below grid", "lambda", "sd", "amplitude", "sd"],
      rows: [
        ...fitted[0].map(({ name }) => ({
          name: `drift: ${name}`,
          values: [medianOf(name, "error"), medianOf(name, "below"), ...none, ...none],
        })),
        ...(["flow", "network"] as const).map((name) => ({
          name: `tagged particle: ${name}`,
          values: [particleError(name), NaN, ...none, ...none],
        })),
        row("posterior in closed form", alike(exact.mean)),
        row("posterior by the second flow", posterior),
        row("the same with the learned law", learnedLaw),
        row(
          "estimate without the noise",
          Array.from(quiet.mean, (mean) => ({ mean, deviation: NaN })),
        ),
      ],
      targets,
    };
  },
};

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : 0.5 * (sorted[middle - 1] + sorted[middle]);
}
