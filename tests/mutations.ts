/** Broken variants of good input, for tests of readers: seeded, so that each can be had again. */
import type { Random } from "../lib/random";

const index = (random: Random, length: number) => Math.min(length - 1, Math.floor(length * random.uniform()));
const EXTREMES = [0x00, 0x7f, 0x80, 0xff];

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const mutations: readonly Mutation[] = [
  // a bit
  (bytes, random) => {
    bytes[index(random, bytes.length)] ^= 1 << index(random, 8);
    return bytes;
  },
  // eight bytes, such as a length, an offset or a number, of the same extreme value
  (bytes, random) => bytes.fill(EXTREMES[index(random, 4)], ...range(bytes, random, 8)),
  // a small whole number in the place of another one
  (bytes, random) => {
    const at = index(random, Math.max(1, bytes.length - 4));
    if (at + 4 <= bytes.length) bytes.writeInt32LE(index(random, 70000) - 1000, at);
    return bytes;
  },
  // cut off
  (bytes, random) => bytes.subarray(0, index(random, bytes.length)),
  // a piece missing
  (bytes, random) => {
    const [from, to] = range(bytes, random, 64);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  // a piece twice
  (bytes, random) => {
    const [from, to] = range(bytes, random, 64);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  // a piece of noise
  (bytes, random) => {
    const [from, to] = range(bytes, random, 32);
    for (let i = from; i < to; i++) bytes[i] = index(random, 256);
    return bytes;
  },
];

const WORDS = ["", "null", "-1", "0", "1e999", "NaN", "1e9", "99999999999999999999", "[]", "{}", '"', "../../x", "/dev/zero", "__proto__", "true", "-0.5", "\u0000", "ä"]; // prettier-ignore

const textMutations: readonly Mutation[] = [
  // another word in the place of a number or a name
  (bytes, random) => {
    const text = bytes.toString("utf8");
    const tokens = [...text.matchAll(/-?[\w.]+/g)];
    if (tokens.length === 0) return bytes;
    const { 0: token, index: at } = tokens[index(random, tokens.length)];
    return Buffer.from(
      text.slice(0, at) + WORDS[index(random, WORDS.length)] + text.slice(at! + token.length),
    );
  },
  // two lines exchanged
  (bytes, random) => {
    const lines = bytes.toString("utf8").split("\n");
    const [a, b] = [index(random, lines.length), index(random, lines.length)];
    [lines[a], lines[b]] = [lines[b], lines[a]];
    return Buffer.from(lines.join("\n"));
  },
];

function range(bytes: Buffer, random: Random, longest: number): [number, number] {
  const from = index(random, Math.max(1, bytes.length));
  return [from, Math.min(bytes.length, from + 1 + index(random, longest))];
}

/** One to three mutations of a copy of the bytes. */
export function mutated(bytes: Buffer, random: Random, kind: "binary" | "text"): Buffer {
  const all = kind === "text" ? [...textMutations, ...textMutations, ...mutations] : mutations;
  let result: Buffer = Buffer.from(bytes);
  for (let count = 1 + index(random, 3); count > 0 && result.length > 0; count--) {
    result = Buffer.from(all[index(random, all.length)](result, random));
  }
  return result;
}
