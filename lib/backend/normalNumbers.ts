/** Standard normal numbers as TensorFlow's StatelessRandomNormal draws them, for backends that lack it. */
import { Random } from "../random";
import { philox4x32 } from "./philox";

/** The operation's seed for a seed and stream of the project's own generator: two integers of 32 bits. */
export function normalKey(seed: number, stream: readonly number[]): [number, number] {
  const random = new Random(seed, ...stream);
  const word = () => Math.floor(random.uniform() * 2 ** 32) | 0;
  return [word(), word()];
}

/** Key of the one encryption by which TensorFlow turns an operation's seed into the generator's key and counter. */
const SCRAMBLE = Uint32Array.of(0x3ec8f720, 0x02461e29);
/** Smallest uniform number whose logarithm is taken. */
const SMALLEST = Math.fround(1e-7);

/**
 * The numbers of TensorFlow's StatelessRandomNormal (float32) for an operation's seed: Philox4x32-10 whose counter counts
 * blocks of four numbers, and Box and Muller's transform in single precision. They are equal to TensorFlow's but for the
 * last digit of logarithm, sine and cosine.
 *
 * Source: TensorFlow, core/kernels/stateless_random_ops.cc and core/lib/random/random_distributions_utils.h.
 */
export function normalNumbers(count: number, seed: readonly [number, number]): Float32Array {
  const [a, b] = seed;
  const block = new Uint32Array(4);
  // The seeds as integers of 64 bits, so that the upper words continue their signs.
  philox4x32(Uint32Array.of(a, a >> 31, b, b >> 31), SCRAMBLE, block);
  const key = block.slice(0, 2);
  const counter = Uint32Array.of(0, 0, block[2], block[3]);
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i += 4) {
    philox4x32(counter, key, block);
    counter[0]++; // count < 2^34
    for (const k of [0, 2]) {
      // Each step rounds as TensorFlow's does; writing to the array rounds, too, and drops what lies behind its end.
      const { fround } = Math;
      const radius = fround(Math.sqrt(-2 * fround(Math.log(Math.max(SMALLEST, uniform(block[k]))))));
      const angle = fround(2 * Math.PI * uniform(block[k + 1]));
      numbers[i + k] = fround(Math.sin(angle)) * radius;
      numbers[i + k + 1] = fround(Math.cos(angle)) * radius;
    }
  }
  return numbers;
}

/** A number in [0, 1) of the lower 23 bits. */
function uniform(bits: number): number {
  return (bits & 0x7fffff) * 2 ** -23;
}
