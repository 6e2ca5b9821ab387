import { Random } from "../random";
import { logLikelihoods, type LinearObservation } from "./observation";
import { effectiveNumber, normalised, systematic } from "./resampling";
import type { Simulator } from "./simulator";

/** Options of {@link crankNicolson}. */
export interface CrankNicolsonOptions {
  /** Chains side by side. */
  readonly chains: number;
  /** Moves of every chain at each temperature. */
  readonly movesPerTemperature: number;
  /** Moves at temperature one; the states after each `thin` of them are kept. */
  readonly moves: number;
  readonly thin: number;
  readonly seed: number;
}

/** Share of proposals that the step b is tuned to have accepted. */
const ACCEPTED = 0.3;

/**
 * Preconditioned Crank-Nicolson over the white noise z of the prior, with the solver: a reference for any sensors.
 *
 *     z' = sqrt(1 - b^2) z + b xi,   accepted with probability min(1, L(z') / L(z)),   L(z) = N(y; A u(z), 1),
 *
 * which leaves the posterior as it is, for noise of any dimension. Many chains go side by side from the prior to the
 * posterior through L^beta, beta rising so that the chains' weights keep an effective number of half, where they are drawn
 * anew (tempering). Yields solves done; returns fields (rows, size), all of one weight.
 * Source: Cotter, Roberts, Stuart & White 2013, "MCMC methods for functions"; Kantas, Beskos & Jasra 2014.
 */
export function* crankNicolson(
  simulator: Simulator,
  observation: LinearObservation,
  { chains, movesPerTemperature, moves, thin, seed }: CrankNicolsonOptions,
): Generator<
  number,
  { readonly fields: Float64Array; readonly temperatures: number; readonly step: number },
  void
> {
  const { noise: n, size } = simulator;
  const random = new Random(seed);
  let noise: Float64Array = random.fillNormal(new Float64Array(chains * n));
  let fields: Float64Array = new Float64Array(chains * size);
  const solveRow = (z: Float64Array, out: Float64Array) => simulator.solve(z, out);
  for (let row = 0; row < chains; row++)
    solveRow(noise.subarray(row * n, (row + 1) * n), fields.subarray(row * size, (row + 1) * size));
  let logs: Float64Array = logLikelihoods(observation, fields);
  let [step, beta, temperatures, solves] = [0.5, 0, 0, chains];
  const [proposal, proposed] = [new Float64Array(n), new Float64Array(size)];

  /** One move of every chain at the present temperature. */
  const move = (): void => {
    let accepted = 0;
    const keep = Math.sqrt(1 - step * step);
    for (let row = 0; row < chains; row++) {
      for (let i = 0; i < n; i++) proposal[i] = keep * noise[row * n + i] + step * random.normal();
      solveRow(proposal, proposed);
      const [log] = logLikelihoods(observation, proposed);
      if (Math.log(random.uniform()) >= beta * (log - logs[row])) continue;
      accepted++;
      noise.set(proposal, row * n);
      fields.set(proposed, row * size);
      logs[row] = log;
    }
    solves += chains;
    // Only between moves of all chains, by all of them: each one is hardly told of itself.
    step = Math.min(0.99, step * Math.exp(0.5 * (accepted / chains - ACCEPTED)));
  };

  while (beta < 1) {
    const rise = nextRise(logs, 1 - beta);
    const weights = normalised(logs.map((log) => rise * log));
    beta += rise;
    temperatures++;
    const chosen = systematic(weights, chains, random.uniform());
    noise = taken(noise, chosen, n);
    fields = taken(fields, chosen, size);
    logs = taken(logs, chosen, 1);
    for (let k = 0; k < movesPerTemperature; k++) {
      move();
      yield solves;
    }
  }
  const parts: Float64Array[] = [];
  for (let k = 1; k <= moves; k++) {
    move();
    if (k % thin === 0) parts.push(fields.slice());
    yield solves;
  }
  const all = new Float64Array(parts.length * fields.length);
  parts.forEach((part, k) => all.set(part, k * fields.length));
  return { fields: all, temperatures, step };
}

/** The largest rise of beta, up to `most`, at which half of the chains stay effective: by bisection. */
function nextRise(logs: Float64Array, most: number): number {
  const enough = (rise: number) =>
    effectiveNumber(normalised(logs.map((log) => rise * log))) >= 0.5 * logs.length;
  if (enough(most)) return most;
  let [low, high] = [0, most];
  for (let k = 0; k < 40; k++) {
    const middle = 0.5 * (low + high);
    if (enough(middle)) low = middle;
    else high = middle;
  }
  return low;
}

function taken(values: Float64Array, rows: Int32Array, width: number): Float64Array {
  const copy = new Float64Array(rows.length * width);
  rows.forEach((row, k) => copy.set(values.subarray(row * width, (row + 1) * width), k * width));
  return copy;
}
