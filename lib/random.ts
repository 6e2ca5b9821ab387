import { philox4x32 } from "./backend/philox";
import { integerInRange } from "./backend/errors";

/**
 * A repeatable sequence of random numbers, addressed by a seed and any number of stream numbers.
 * The same arguments give the same sequence on every machine and in every thread; different arguments give
 * independent ones, so work can be cut up in any way without changing its result.
 * seed, stream: integers 0..2^53 - 1. Throws InputError for others.
 */
export class Random {
  private readonly key = new Uint32Array(2);
  /** Words 0 and 1 count the blocks drawn, words 2 and 3 belong to the stream. */
  private readonly counter = new Uint32Array(4);
  private readonly block = new Uint32Array(4);
  private used = 4;
  private spare = NaN;

  constructor(seed: number, ...stream: number[]) {
    integerInRange("The seed", seed, 0, Number.MAX_SAFE_INTEGER);
    this.key[0] = seed >>> 0;
    this.key[1] = Math.floor(seed / 2 ** 32);
    // Each stream number is absorbed by one encryption whose output replaces the key and counter words 2 and 3.
    // Its counter has a position and a tag where an empty stream has zeros, so the two never meet.
    stream.forEach((number, position) => {
      integerInRange("The stream number", number, 0, Number.MAX_SAFE_INTEGER);
      this.counter[0] = number >>> 0;
      this.counter[1] = Math.floor(number / 2 ** 32);
      this.counter[2] ^= position + 1;
      this.counter[3] ^= 0x73747265; // "stre"
      philox4x32(this.counter, this.key, this.block);
      this.key.set(this.block.subarray(0, 2));
      this.counter.set(this.block.subarray(2, 4), 2);
    });
    this.counter[0] = 0;
    this.counter[1] = 0;
  }

  /** A number uniform in (0, 1), both ends excluded, with 53 random bits. */
  uniform(): number {
    if (this.used === 4) {
      philox4x32(this.counter, this.key, this.block);
      this.counter[0]++; // wraps at 2^32
      if (this.counter[0] === 0) this.counter[1]++;
      this.used = 0;
    }
    const high = this.block[this.used] >>> 5;
    const low = this.block[this.used + 1] >>> 6;
    this.used += 2;
    const integer = high * 2 ** 26 + low;
    // Zero, one case in 2^53, becomes half the smallest step, so that its logarithm exists.
    return integer === 0 ? 2 ** -54 : integer * 2 ** -53;
  }

  /** A standard normal number. Source: Box and Muller 1958; the second of each pair is kept for the next call. */
  normal(): number {
    if (!Number.isNaN(this.spare)) {
      const kept = this.spare;
      this.spare = NaN;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Fills out with standard normal numbers and returns it. */
  fillNormal(out: Float64Array): Float64Array {
    for (let i = 0; i < out.length; i++) out[i] = this.normal();
    return out;
  }

  /** A random order of 0 .. count - 1 (Fisher and Yates). */
  permutation(count: number): Int32Array {
    const order = Int32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = Math.min(i, Math.floor(this.uniform() * (i + 1)));
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}
