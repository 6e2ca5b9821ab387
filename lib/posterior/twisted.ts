import { normal, tf } from "../backend/tensors";
import { Random } from "../random";
import { conditionalVariances, innovation, LinearUpdate } from "./linearUpdate";
import { kalmanDraws } from "./kalman";
import type { LinearObservation } from "./observation";
import type { ModalPrior } from "./prior";
import { effectiveNumber, normalised, systematic } from "./resampling";

/** Where the particles are. */
export interface TwistedProgress {
  readonly step: number;
  readonly steps: number;
  /** Of the weights, before a resampling of this step. */
  readonly effective: number;
}

/** Weighted samples of the posterior. */
export interface WeightedSamples {
  /** [1, particles, modes], the caller's */
  readonly x: tf.Tensor3D;
  /** (particles), which sum to one */
  readonly weights: Float64Array;
  /** The smallest effective number on the way. */
  readonly effective: number;
  readonly resampled: number;
}

/** The particles are drawn anew by their weights when fewer than this share of them is effective. */
const RESAMPLE_BELOW = 0.5;

/**
 * The twisted diffusion sampler: particles that follow the prior's reverse process, guided, with weights that undo what the
 * guidance gets wrong. As their number grows they become the posterior under the model's own prior, whatever its form.
 *
 * In y = x_0 + s z, with C_s = diag(l s^2 / (l + s^2)) and the twist psi_s = N(y_obs; A D, 1 + A C_s A^T), what the sensors say
 * of a state of level s if x_0 given it were N(D, C_s). A step to the level s' takes, with r = (s'/s)^2,
 *
 *     x_0 ~ N(D, C_s) given the sensors (Matheron's rule),   y' = r y + (1 - r) x_0 + s' sqrt(1 - r) z,
 *
 * the prior's own transition with x_0 drawn in the light of the sensors. The ratio of the two transitions, times psi_s' / psi_s, is
 *
 *     weight = psi_s'(D(y')) / psi_s'(D^),   D^ = D + (1 - r) C_s / v (y' - r y - (1 - r) D),
 *
 * v = s'^2 (1 - r) + (1 - r)^2 C_s: one where the denoised mean of the new state is what a Gaussian prior predicts. Resampled
 * systematically when the effective number falls below half.
 * Source: Wu, Trippe, Naesseth, Blei & Cunningham 2023, "Practical and asymptotically exact conditional sampling in diffusion
 * models", algorithm 1; the proposal with C_s in the place of a scalar is the locally optimal one for a Gaussian prior.
 */
export function* twistedSampling(
  prior: Pick<ModalPrior, "schedule" | "denoise" | "variances">,
  observation: LinearObservation,
  times: Float64Array,
  particles: number,
  seed: number,
  ...stream: number[]
): Generator<TwistedProgress, WeightedSamples, void> {
  const { schedule, variances } = prior;
  const steps = times.length - 1;
  const uniform = new Random(seed, ...stream, 0);
  const updateAt = (t: number) =>
    new LinearUpdate(observation, conditionalVariances(variances, schedule.noiseLevel(t)));
  /** log psi less its constant: of denoised rows less that of others. */
  const logTwistRatio = (update: LinearUpdate, denoised: tf.Tensor, others: tf.Tensor): Float64Array => {
    const [a, b] = [denoised, others].map((rows) => innovation(observation, rows).dataSync());
    const m = observation.values.length;
    return Float64Array.from(
      { length: particles },
      (_, row) => 0.5 * (update.square(b, row * m) - update.square(a, row * m)),
    );
  };
  const vector = (of: (variance: number) => number) => tf.tensor1d(Float32Array.from(variances, of));

  const level = schedule.noiseLevel(times[0]);
  let update = updateAt(times[0]);
  let state = kalmanDraws(variances, observation, particles, level, seed, ...stream, 1);
  let denoised = tf.tidy(() => prior.denoise(state.mul(schedule.mean(times[0])), times[0]));
  let logWeights: Float64Array = new Float64Array(particles);
  tf.tidy(() => {
    const predicted = state.mul(vector((l) => l / (l + level * level)));
    logWeights = logTwistRatio(update, denoised, predicted);
  });
  let [smallest, resampled] = [particles, 0];
  let done = false;
  try {
    for (let step = 1; step <= steps; step++) {
      const weights = normalised(logWeights);
      const effective = effectiveNumber(weights);
      smallest = Math.min(smallest, effective);
      yield { step: step - 1, steps, effective };
      if (effective < RESAMPLE_BELOW * particles) {
        const chosen = systematic(weights, particles, uniform.uniform());
        const rows = [state, denoised].map((tensor) =>
          tf.tidy(() => tf.gather(tensor, tf.tensor1d(chosen, "int32"), 1)),
        );
        tf.dispose([state, denoised]);
        [state, denoised] = rows as [tf.Tensor3D, tf.Tensor];
        logWeights = new Float64Array(particles);
        resampled++;
      }
      const [s, next] = [schedule.noiseLevel(times[step - 1]), schedule.noiseLevel(times[step])];
      const r = (next / s) ** 2;
      const nextUpdate = updateAt(times[step]);
      const moved = tf.tidy(() => {
        const draw = (shape: number[], which: number) => normal(shape, seed, ...stream, 2, step, which);
        const c = vector((l) => (l * s * s) / (l + s * s));
        const noise = draw([particles, observation.values.length], 1) as tf.Tensor2D;
        const clean = update.apply(denoised.add(draw(state.shape, 0).mul(c.sqrt())), noise);
        const blur = draw(state.shape, 2).mul(next * Math.sqrt(1 - r));
        const to = state
          .mul(r)
          .add(clean.mul(1 - r))
          .add(blur);
        if (next === 0) return [to, to.clone()]; // psi_0 of x_0 itself: no weight
        const gain = c.mul(1 - r).div(c.mul((1 - r) ** 2).add(next * next * (1 - r)));
        const surprise = to.sub(state.mul(r)).sub(denoised.mul(1 - r));
        const found = prior.denoise(to.mul(schedule.mean(times[step])), times[step]);
        const gained = logTwistRatio(nextUpdate, found, denoised.add(surprise.mul(gain)));
        logWeights = logWeights.map((value, i) => value + gained[i]);
        return [to, found];
      });
      tf.dispose([state, denoised]);
      [state, denoised] = moved as [tf.Tensor3D, tf.Tensor];
      update = nextUpdate;
    }
    done = true;
    const weights = normalised(logWeights);
    return { x: state, weights, effective: Math.min(smallest, effectiveNumber(weights)), resampled };
  } finally {
    denoised.dispose();
    if (!done) state.dispose();
  }
}
