/** The forward process of states that are plain arrays, at any time at once or step by step. */
import { InputError } from "../backend/errors";
import { Random } from "../random";
import type { Schedule } from "../schedule";
import { eulerMaruyamaStep, forwardSde, type VectorSpace } from "../sde";

/** States as Float64Arrays of any length; draw number k is the stream (seed, ...stream, k) of Random. */
export function arraySpace(seed: number, ...stream: number[]): VectorSpace<Float64Array> {
  return {
    combine(terms) {
      const sum = new Float64Array(terms[0][1].length);
      for (const [coefficient, state] of terms) {
        for (let i = 0; i < sum.length; i++) sum[i] += coefficient * state[i];
      }
      return sum;
    },
    normal: (like, draw) => new Random(seed, ...stream, draw).fillNormal(new Float64Array(like.length)),
  };
}

/**
 * Exact draw of x_t given x_0: mean(t) x_0 + std(t) z, with z the space's noise of this draw number.
 *
 * x0: a state of any shape, standardised (variance about 1, no unit); t in 0 .. endTime.
 */
export function drawMarginal<X>(
  space: VectorSpace<X>,
  schedule: Schedule,
  x0: X,
  t: number,
  draw: number,
): X {
  const noise = space.normal(x0, draw);
  const x = space.combine([
    [schedule.mean(t), x0],
    [schedule.std(t), noise],
  ]);
  space.release?.(noise);
  return x;
}

/**
 * Euler-Maruyama path of the forward process, one state a time, the first of them x_0 itself.
 *
 * For teaching: drawMarginal reaches any time exactly in one draw. Step k takes draw number k. A state is freed when the
 * next is asked for: copy what should be kept. Throws InputError when the times do not rise strictly from 0.
 */
export function* forwardPath<X>(
  space: VectorSpace<X>,
  schedule: Schedule,
  x0: X,
  times: Float64Array,
): Generator<{ t: number; x: X }, void, void> {
  if (!times.every((t, i) => (i === 0 ? t === 0 : t > times[i - 1]))) {
    throw new InputError(
      "The times of the forward path are not usable; give times that rise strictly from 0.",
    );
  }
  const sde = forwardSde<X>(schedule);
  let x = x0;
  const release = (state: X) => {
    if (state !== x0) space.release?.(state);
  };
  try {
    yield { t: 0, x };
    for (let k = 1; k < times.length; k++) {
      const noise = space.normal(x0, k);
      const next = eulerMaruyamaStep(space, sde, x, times[k - 1], times[k] - times[k - 1], () => noise);
      space.release?.(noise);
      release(x);
      x = next;
      yield { t: times[k], x };
    }
  } finally {
    release(x);
  }
}
