import { Random } from "../random";

/** A seed that depends on a seed and stream numbers: for code that takes no streams of its own. Throws InputError. */
export function derivedSeed(seed: number, ...stream: number[]): number {
  return Math.floor(new Random(seed, ...stream).uniform() * 2 ** 53);
}
