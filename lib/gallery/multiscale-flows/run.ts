/** The chapter's table and targets, for the command line. */
import { finish } from "../../backend/interrupt";
import type { Budget, GallerySystem, Target } from "../system";
import { fitNetwork, fitStoppedNetwork } from "../driftLearning";
import * as likelihood from "../pathLikelihood";
import * as method from "./method";
import * as systems from "./system";

const budgets = {
  smoke: { endTime: 50, steps: 100, posteriorSteps: 400 },
  lesson: { endTime: 2000, steps: 800, posteriorSteps: 600 },
  full: { endTime: 2000, steps: 1000, posteriorSteps: 1000 },
};

/** Intervals that the flow and the networks are compared on: the paper's fewest and most, and all of the wave's. */
export const intervals = [1000, 15_000, 200_000];

/** Errors of the drift learned from the first `count` intervals of a path: by the flow and by networks without structure. */
export function beside(
  model: method.SlowModel,
  whole: likelihood.SlowPath,
  count: number,
  truth: (x: number) => number,
  settings: method.FlowSettings,
  seed: number,
): { count: number; flow: number; network: number; stopped: number; fitted: method.FittedFlow } {
  const path = likelihood.partOf(whole, 0, count);
  const data = likelihood.increments(path);
  const fitted = finish(method.fitFlow(model, data, settings, seed));
  const error = (b: ArrayLike<number>) => likelihood.driftError(data, b, truth);
  return {
    count,
    flow: error(method.flowDrift(model, fitted, data.x)),
    network: error(finish(fitNetwork(data, settings, seed))(data.x)),
    stopped: error(fitStoppedNetwork(path, settings, seed)(data.x)),
    fitted,
  };
}

export const multiscaleFlows: GallerySystem = {
  name: "multiscale-flows",
  title: "Multiscale stochastic models by normalising flows",
  paper: "Saha & Ganguly 2026, Learning stochastic multiscale models through normalizing flows",
  seedsOfShares: 20,
  async run({ budget, seed, sharesOnly = false, progress }) {
    const { endTime, steps, posteriorSteps }: (typeof budgets)[Budget] = budgets[budget];
    const settings = { ...method.flowSettings, steps };
    progress("a path of the wave");
    const path = systems.simulateWave({ endTime }, seed);
    const data = likelihood.increments(path);
    const known = (x: number) => [-x, systems.waveAverage(x)];
    const exact = likelihood.linearPosterior(data, known);
    const quiet = likelihood.linearPosterior(likelihood.increments(path, undefined, true), known);
    const deviations = [0, 1].map((i) => Math.sqrt(exact.covariance.get(i, i)));
    const truth = [systems.wave.lambda, systems.wave.amplitude];

    progress("the second flow: lambda and amplitude");
    const posteriorOf = (average: ArrayLike<number>) => {
      const features = [data.x.map((x) => -x), average];
      const own = finish(method.fitPosterior(features, data, { ...settings, steps: posteriorSteps }, seed));
      return method.summary(method.drawsOf(own, 16384, seed), 2);
    };
    const posterior = posteriorOf(Float64Array.from(data.x, systems.waveAverage));
    const shares = ["lambda", "amplitude"].map((name, i): Target => {
      const { low, high } = posterior[i];
      return {
        what: `parameters: 90 % interval holds ${name}`,
        value: Number(low <= truth[i] && truth[i] <= high),
        at: "least",
        limit: 0.75,
        share: true,
      };
    });
    if (sharesOnly) return { columns: [], rows: [], targets: shares };

    progress("flows and networks from more and more of it");
    const counts = [...new Set(intervals.map((count) => Math.min(count, path.noise.length)))];
    const compared = counts.map((count) =>
      beside(method.waveModel, path, count, systems.waveDrift, settings, seed),
    );
    const { fitted, ...errors } = compared[compared.length - 1];
    progress("the tagged particle");
    const particlePath = systems.simulateParticle({ endTime: Math.min(150, endTime) }, seed);
    const particles = counts
      .slice(0, 2)
      .map((count) =>
        beside(
          method.particleModel,
          particlePath,
          count,
          systems.particleDrift,
          { ...settings, penalty: 0.01 },
          seed,
        ),
      );
    const learnedLaw = posteriorOf(method.flowAverage(fitted, data.x));

    const means = Array.from({ length: 29 }, (_, k) => 0.05 * k);
    const grid = systems.gridFit(data).drift;
    const drifts: Record<string, ArrayLike<number>> = {
      flow: method.flowDrift(method.waveModel, fitted, data.x),
      "any law on a grid": grid,
      "true law": exact.drift,
      "normal law": systems.gaussianFit(data, means).drift,
      "normal law, mean 0": systems.gaussianFit(data, [0]).drift,
      "polynomial of degree 5": likelihood.polynomialFit(data).drift,
    };
    const error = Object.fromEntries(
      Object.entries(drifts).map(([name, b]) => [name, likelihood.driftError(data, b, systems.waveDrift)]),
    );
    const below = (b: ArrayLike<number>) => likelihood.gain(data, grid) - likelihood.gain(data, b);
    const none = [NaN, NaN];
    const parameters = (name: string, numbers: readonly { mean: number; deviation: number }[]) => ({
      name,
      values: [...none, ...numbers.flatMap(({ mean, deviation }) => [mean, deviation])],
    });
    const most = (what: string, value: number, limit: number, more: Target["beside"] = {}): Target => {
      return { what, value, at: "most", limit, beside: more };
    };
    const { flow: ours, ...others } = error;
    const worse = (name: string, own: (typeof compared)[number], more: Target["beside"] = {}): Target => {
      const squared = (error: number) => (error / own.flow) ** 2;
      return {
        what: `${name}, ${own.count} intervals: a network's squared error in the flow's`,
        value: Math.min(squared(own.network), squared(own.stopped)), // the better one counts
        at: "least",
        limit: 4,
        beside: { "as many steps": squared(own.network), "stopped in time": squared(own.stopped), ...more },
      };
    };
    return {
      columns: ["drift error", "nats below grid", "lambda", "sd", "amplitude", "sd"],
      rows: [
        ...Object.entries(drifts).map(([name, b]) => ({
          name: `drift: ${name}`,
          values: [error[name], below(b), ...none, ...none],
        })),
        ...[
          ...compared.map((own) => ["wave", own] as const),
          ...particles.map((own) => ["particle", own] as const),
        ].flatMap(([name, own]) =>
          (["flow", "network", "stopped"] as const).map((which) => ({
            name: `${name}, ${own.count} intervals: ${which === "stopped" ? "network, stopped in time" : which}`,
            values: [own[which], NaN, ...none, ...none],
          })),
        ),
        parameters(
          "posterior in closed form",
          deviations.map((deviation, i) => ({ mean: exact.mean[i], deviation })),
        ),
        parameters("posterior by the second flow", posterior),
        parameters("the same with the learned law", learnedLaw),
        parameters(
          "estimate without the noise",
          Array.from(quiet.mean, (mean) => ({ mean, deviation: NaN })),
        ),
      ],
      targets: [
        most("wave: error of the drift", ours, 0.08, others),
        most(
          "wave: the error in that of a polynomial of degree 5",
          ours / error["polynomial of degree 5"],
          1,
        ),
        most("wave: nats below any law on a grid", below(drifts.flow), 3, {
          "true law": below(drifts["true law"]),
          "normal law, mean 0": below(drifts["normal law, mean 0"]),
        }),
        ...compared.map((own) =>
          worse(
            "wave",
            own,
            own.count === errors.count
              ? { "with the true law": (Math.min(errors.network, errors.stopped) / error["true law"]) ** 2 }
              : {},
          ),
        ),
        ...particles.map((own) => worse("particle", own)),
        most(
          "parameters: mean off by, in deviations",
          Math.max(...posterior.map(({ mean }, i) => Math.abs(mean - exact.mean[i]) / deviations[i])),
          0.3,
        ),
        most(
          "parameters: deviation off by",
          Math.max(...posterior.map(({ deviation }, i) => Math.abs(deviation / deviations[i] - 1))),
          0.15,
        ),
        ...shares,
        most(
          "parameters: bias of the simulation, in deviations",
          Math.max(...truth.map((value, i) => Math.abs(quiet.mean[i] - value) / deviations[i])),
          0.5,
        ),
      ],
    };
  },
};
