import { InputError } from "./errors";
import type { Schedule } from "./schedule";
import type { VectorSpace } from "./vectorSpace";

/**
 * Exact draw of x_t given x_0: mean(t) x_0 + std(t) z, with z the space's noise of this draw number.
 *
 * x0 is a state of the space, in any shape and standardised (variance about 1, no unit); a new state of that shape is
 * returned. t in 0 .. endTime.
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
 * Euler-Maruyama path of the forward SDE, x' = x - h beta(t)/2 x + sqrt(beta(t) h) z, one state a time.
 *
 * Times rise from 0 and the first state yielded is x_0 itself. For teaching: drawMarginal reaches any time exactly in
 * one draw. Step k takes draw number k. States are freed as in trajectory: copy what should be kept.
 * Throws InputError when the times do not rise strictly from 0. Source: the blog's equation (4).
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
  let x = x0;
  const release = (state: X) => {
    if (state !== x0) space.release?.(state);
  };
  try {
    yield { t: 0, x };
    for (let k = 1; k < times.length; k++) {
      const spread = schedule.beta(times[k - 1]) * (times[k] - times[k - 1]);
      const noise = space.normal(x0, k);
      const next = space.combine([
        [1 - 0.5 * spread, x],
        [Math.sqrt(spread), noise],
      ]);
      space.release?.(noise);
      release(x);
      x = next;
      yield { t: times[k], x };
    }
  } finally {
    release(x);
  }
}
