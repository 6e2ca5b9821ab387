/**
 * What belongs to one correlation length, as a file: the modes of the covariance and the biases of the network along the
 * sampler's way. Both take seconds in a browser, so they are computed when the page is built.
 *
 * Little-endian: (modes) variances, (modes) scales, then offset and slope (modes) at each of the sampler's times, all
 * float32; then the vectors (size, modes) as int16 in units of their mode's scale. That is an error of 2e-5 of a vector's
 * usual value, of which fields see a few millionths of their standard deviation.
 */
import { tf } from "../../../lib/backend/tensors";
import type { Biases } from "../../../lib/gaussian/drawing";
import type { Covariance, Modes } from "../../../lib/gaussian/covariance";
import { normal } from "../../../lib/backend/tensors";
import type { ScoreModel } from "../../../lib/scoreModel";
import { LENGTHS } from "./settings";

/** Modes and biases of one correlation length as numbers. */
export interface LengthData {
  readonly variances: Float32Array;
  /** (size, modes) */
  readonly vectors: Float32Array;
  /** In the order of the sampler's times. */
  readonly biases: readonly { readonly offset: Float32Array; readonly slope: Float32Array }[];
}

export const lengthFile = (l: number) => `modes-${l}.bin`;

/** The correlation length in m: the number that "10e-6" means, which 10 * 1e-6 is not. */
export const inMetres = (l: number) => Number(`${l}e-6`);

const LARGEST = 32767;

export function lengthToBytes({ variances, vectors, biases }: LengthData): Uint8Array {
  const modes = variances.length;
  const scales = new Float32Array(modes);
  vectors.forEach((value, i) => (scales[i % modes] = Math.max(scales[i % modes], Math.abs(value) / LARGEST)));
  const small = Int16Array.from(vectors, (value, i) => Math.round(value / scales[i % modes]));
  const parts = [variances, scales, ...biases.flatMap(({ offset, slope }) => [offset, slope]), small];
  const bytes = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of parts) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return bytes;
}

/** steps: of the sampler; size: numbers of a vector. Throws RangeError for bytes of another length. */
export function lengthFromBytes(bytes: ArrayBuffer, steps: number, size: number): LengthData {
  const modes = bytes.byteLength / (4 * (2 + 2 * steps) + 2 * size);
  let at = 0;
  const next = () => new Float32Array(bytes, 4 * modes * at++, modes);
  const [variances, scales] = [next(), next()];
  const biases = Array.from({ length: steps }, () => ({ offset: next(), slope: next() }));
  const small = new Int16Array(bytes, 4 * modes * at, size * modes);
  return { variances, biases, vectors: Float32Array.from(small, (value, i) => value * scales[i % modes]) };
}

/** Modes that are at hand, in the place of a covariance to compute them from. */
export class KnownModes implements Covariance {
  readonly lengths = new Map<number, LengthData>();

  modes(conditions: readonly Float64Array[]): Modes {
    const known = conditions.map(([l]) => this.lengths.get(l)!);
    const modes = known[0].variances.length;
    return {
      variances: tf.stack(known.map(({ variances }) => tf.tensor1d(variances))) as tf.Tensor2D,
      vectors: tf.stack(known.map(({ vectors }) => tf.tensor2d(vectors, [vectors.length / modes, modes]))) as tf.Tensor3D, // prettier-ignore
    };
  }

  toBytes(): Uint8Array {
    throw new Error(`The covariance is known at ${LENGTHS.length} correlation lengths only.`);
  }
}

/** The biases of a correlation length by the sampler's times. */
export function biasesAt(data: LengthData, times: Float64Array): Biases {
  return new Map(data.biases.map((bias, i) => [times[i], bias]));
}

/** What the network makes of some random input at eight noise levels: equal on all backends, up to rounding. */
export function networkNumbers({ preconditioner, apply }: ScoreModel): Float32Array {
  const { cells, fields, conditions } = preconditioner.shape;
  return tf.tidy(() => {
    const levels = tf.linspace(-1.5, 1, 8).reshape([8, 1]) as tf.Tensor2D;
    const told = normal([8, conditions], 2).clipByValue(-1, 1) as tf.Tensor2D;
    return apply(normal([8, cells, fields], 1) as tf.Tensor3D, told, levels).dataSync() as Float32Array;
  });
}
