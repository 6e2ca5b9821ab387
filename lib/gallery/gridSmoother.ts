/** Smoothing of a scalar diffusion from sparse observations on a grid: what a learned smoother is held against. */
import { TridiagonalFactors } from "../finiteVolumes";
import type { Observations } from "./kalman";

/** dX = b(X) dt + sigma dW on the line, which starts with its stationary distribution. */
export interface ScalarSde {
  readonly sigma: number;
  drift(x: number): number;
}

/** What all observations say, on the cells of a grid. */
export interface GridSmoother {
  readonly logEvidence: number;
  /** centres of the cells: (cells) */
  readonly centres: Float64Array;
  /** Density of the state at time t given all observations, at the step nearest to t: (cells) */
  density(t: number): Float64Array;
  /** d log h / dx at the centres, h(x) the density of the observations after t given that X_t = x: (cells) */
  score(t: number): Float64Array;
}

/**
 * Forward-backward smoothing on [-reach, reach] in steps of about dt.
 *
 * The process becomes one that jumps between neighbouring cells, at the rates sigma^2 / (2 w^2) exp(+- b w / sigma^2), cells w
 * wide and b between them. In one dimension it is reversible, with weights pi: so h, and the filter's density over pi, obey the
 * same symmetric equation, solved by Crank & Nicolson's steps; second order in w and dt.
 */
export function gridSmoother(
  { drift, sigma }: ScalarSde,
  { times, values, variance: noise }: Observations,
  { reach, cells, dt }: { reach: number; cells: number; dt: number },
): GridSmoother {
  const w = (2 * reach) / cells;
  const centres = Float64Array.from({ length: cells }, (_, i) => -reach + (i + 0.5) * w);
  // pi, whose neighbours' ratio is exp(2 b w / sigma^2), and pi times the rate of a jump to the right.
  const logPi = new Float64Array(cells);
  for (let i = 1; i < cells; i++) logPi[i] = logPi[i - 1] + (2 * w * drift(centres[i] - w / 2)) / sigma ** 2;
  const most = logPi.reduce((a, b) => Math.max(a, b));
  const total = logPi.reduce((sum, value) => sum + Math.exp(value - most), 0);
  const pi = logPi.map((value) => Math.exp(value - most) / total);
  const flows = Float64Array.from({ length: cells - 1 }, (_, i) => {
    return (Math.sqrt(pi[i] * pi[i + 1]) * sigma ** 2) / (2 * w * w);
  });
  const move = (start: Float64Array, time: number) => {
    const steps = Math.max(1, Math.round(time / dt));
    const half = time / steps / 2;
    const factors = new TridiagonalFactors(cells).factor(flows.map((flow) => half * flow), pi); // prettier-ignore
    const states = [start];
    for (let k = 0; k < steps; k++) {
      const f = states[k];
      const b = pi.map((weight, i) => {
        const right = i < cells - 1 ? flows[i] * (f[i + 1] - f[i]) : 0;
        const left = i > 0 ? flows[i - 1] * (f[i] - f[i - 1]) : 0;
        return weight * f[i] + half * (right - left);
      });
      factors.solve(b, b);
      states.push(b);
    }
    return states;
  };
  const likelihoods = values.map(([y]) =>
    centres.map((x) => Math.exp(-((y - x) ** 2) / (2 * noise)) / Math.sqrt(2 * Math.PI * noise)),
  );
  const ends = [0, ...times];
  // Before each observation: the filter, over pi, from its left end; after: h from its right end, in the order of time.
  const forward: Float64Array[][] = [];
  let state = new Float64Array(cells).fill(1);
  times.forEach((time, i) => {
    forward.push(move(state, time - ends[i]));
    state = forward[i].at(-1)!.map((value, k) => value * likelihoods[i][k]);
  });
  const backward: Float64Array[][] = new Array(times.length);
  let h = new Float64Array(cells).fill(1);
  for (let i = times.length - 1; i >= 0; i--) {
    backward[i] = move(h.map((value, k) => value * likelihoods[i][k]), times[i] - ends[i]).reverse(); // prettier-ignore
    h = backward[i][0].slice();
  }
  const at = (t: number) => {
    const i = Math.max(0, times.findIndex((time) => t < time)); // prettier-ignore
    const steps = forward[i].length - 1;
    const k = Math.round(((t - ends[i]) / (times[i] - ends[i])) * steps);
    return [forward[i][k], backward[i][k]];
  };
  return {
    logEvidence: Math.log(state.reduce((sum, value, i) => sum + value * pi[i], 0)),
    centres,
    density(t) {
      const [f, b] = at(t);
      const values = f.map((value, i) => value * b[i] * pi[i]);
      const mass = values.reduce((sum, value) => sum + value * w, 0);
      return values.map((value) => value / mass);
    },
    score(t) {
      const log = at(t)[1].map(Math.log);
      return log.map((_, i) => {
        const [left, right] = [Math.max(0, i - 1), Math.min(cells - 1, i + 1)];
        return (log[right] - log[left]) / ((right - left) * w);
      });
    },
  };
}

/** Mean and standard deviation of a density on equal cells. */
export function gridMoments(
  centres: Float64Array,
  density: Float64Array,
): { mean: number; deviation: number } {
  const mass = density.reduce((sum, p) => sum + p, 0);
  const mean = density.reduce((sum, p, i) => sum + p * centres[i], 0) / mass;
  const variance = density.reduce((sum, p, i) => sum + p * (centres[i] - mean) ** 2, 0) / mass;
  return { mean, deviation: Math.sqrt(variance) };
}
