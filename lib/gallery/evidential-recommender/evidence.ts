/** Evidential regression: a normal-inverse-gamma law of each rating. */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../backend/tensors";
import { logGammaOf } from "../gammaFunctions";

type Tensor = tfTypes.Tensor;

/** Parameters of normal-inverse-gamma laws: tensors of one shape. */
export interface Evidence {
  readonly gamma: Tensor;
  readonly nu: Tensor;
  readonly alpha: Tensor;
  readonly beta: Tensor;
}

/** Minus the log density of y, which is Student's. Source: Amini, Schwarting, Soleimany & Rus 2020, equation (8). */
export function evidentialLoss(y: Tensor, { gamma, nu, alpha, beta }: Evidence): Tensor {
  const omega = nu.add(1).mul(beta).mul(2);
  return tf
    .div(Math.PI, nu).log().mul(0.5)
    .sub(alpha.mul(omega.log()))
    .add(alpha.add(0.5).mul(y.sub(gamma).square().mul(nu).add(omega).log()))
    .add(logGammaOf(alpha))
    .sub(logGammaOf(alpha.add(0.5))); // prettier-ignore
}

/** Variances of a rating: of its noise, and of what is not known of its mean. */
export function variances({ nu, alpha, beta }: Evidence): { aleatoric: Tensor; epistemic: Tensor } {
  const aleatoric = beta.div(alpha.sub(1));
  return { aleatoric, epistemic: aleatoric.div(nu) };
}
