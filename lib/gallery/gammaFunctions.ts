/** The logarithm of the gamma function and its derivative, for numbers and for tensors, which tfjs lacks. */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../backend/tensors";

/** Steps by which the argument is raised before the series, whose error is below 1e-12 from there on. */
const RAISED = 8;

/** Of the asymptotic series of log Gamma: B_2k / (2k (2k - 1)), in front of x^(1 - 2k). Source: Abramowitz & Stegun 1964, 6.1.40. */
const SERIES = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360];

/** log Gamma(x) for x > 0; NaN for other x. */
export function logGamma(x: number): number {
  if (!(x > 0)) return NaN;
  let product = 1;
  for (let k = 0; k < RAISED; k++) product *= x + k;
  const y = x + RAISED;
  const series = SERIES.reduce((sum, c, k) => sum + c * y ** (-1 - 2 * k), 0);
  return (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}

/** The derivative of log Gamma(x) for x > 0; NaN for other x. */
export function digamma(x: number): number {
  if (!(x > 0)) return NaN;
  const y = x + RAISED;
  let value = Math.log(y) - 0.5 / y;
  SERIES.forEach((c, k) => (value -= (2 * k + 1) * c * y ** (-2 - 2 * k)));
  for (let k = 0; k < RAISED; k++) value -= 1 / (x + k);
  return value;
}

/** log Gamma of positive numbers, of any shape, to float32's precision; its gradient is digamma. */
export function logGammaOf<T extends tfTypes.Tensor>(x: T): T {
  return logGammaWithGradient(x);
}

const logGammaWithGradient = tf.customGrad((x, save) => {
  (save as tfTypes.GradSaveFunc)([x as tfTypes.Tensor]);
  return {
    value: logGammaTensor(x as tfTypes.Tensor),
    gradFunc: (dy: tfTypes.Tensor, [kept]: tfTypes.Tensor[]) => dy.mul(digammaTensor(kept)),
  };
}) as <T extends tfTypes.Tensor>(x: T) => T;

/** The argument is raised in one product, so that only one logarithm is taken: x^(8) must stay below 1e38, x below 5e4. */
function logGammaTensor(x: tfTypes.Tensor): tfTypes.Tensor {
  const y = x.add(RAISED);
  const shift = [...Array(RAISED - 1).keys()].reduce((product, k) => product.mul(x.add(k + 1)), x).log();
  const start = y
    .sub(0.5)
    .mul(y.log())
    .sub(y)
    .add(0.5 * Math.log(2 * Math.PI));
  return start.add(seriesOf(y, SERIES).div(y)).sub(shift);
}

function digammaTensor(x: tfTypes.Tensor): tfTypes.Tensor {
  const y = x.add(RAISED);
  const start = y.log().sub(tf.div(0.5, y));
  const slope = seriesOf(y, SERIES.map((c, k) => (2 * k + 1) * c)).div(y.square()); // prettier-ignore
  return [...Array(RAISED).keys()].reduce((sum, k) => sum.sub(x.add(k).reciprocal()), start.sub(slope));
}

/** sum of c_k y^(-2k), as far as float32 can see it */
function seriesOf(y: tfTypes.Tensor, coefficients: readonly number[]): tfTypes.Tensor {
  const inverse = y.square().reciprocal();
  const [c0, c1, c2] = coefficients;
  return inverse.mul(c2).add(c1).mul(inverse).add(c0);
}
