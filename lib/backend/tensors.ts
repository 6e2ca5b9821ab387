/**
 * What the library computes with: tfjs as `tf`, and a handful of operations that tfjs lacks or is slow at, which backend.ts
 * describes. Everything else imports these from here, and TensorFlow enters nowhere else.
 */
import { backend } from "./native";

export { tf } from "./native";
export const { describeBackend, neighbours, normal, product, selfAdjointEigen, siluGrad, turnedProduct } =
  backend;
