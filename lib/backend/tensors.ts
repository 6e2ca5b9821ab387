/**
 * What the library asks of a backend: tfjs as `tf`, and a handful of operations that tfjs lacks or is slow at. Everything
 * else imports these from here, and TensorFlow enters nowhere else.
 */
export { describeBackend, normal, product, selfAdjointEigen, siluGrad, tf } from "./native";
