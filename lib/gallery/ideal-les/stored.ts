/** What long computations have left for the notebook and the command line: statistics of the flow, and trained closures. */
import fs from "node:fs";
import path from "node:path";
import { ConvolutionalClosure, type Closure, IdealClosure, withoutNoise } from "./closures";
import { sides } from "./flow";

const root = path.join(__dirname, "..", "..", "..");
/** `npm run study -- kolmogorov-flow` writes both. */
export const files = {
  reference: path.join(root, "data/results/gallery-kolmogorov-flow.json"),
  closures: path.join(root, "data/gallery/ideal-les.json"),
};

/** Statistics of eight filtered direct simulations that no closure is trained on. */
export interface Reference {
  /** Mean energy by shell of each, shells 1 to 10: (simulations, 10) */
  readonly shells: readonly (readonly number[])[];
  /** Logarithms of the energies of shells 1 to 7, every 5 time units, one simulation after the other: (rows, 7) */
  readonly features: readonly (readonly number[])[];
  /** Their first vorticities, from which large-eddy simulations start: float32 (simulations, 24, 24) in base64 */
  readonly starts: string;
}

/** Trained weights, float32 in base64, as startWeights orders them. */
export interface StoredClosures {
  readonly convolution: string;
  readonly quiet: string;
  readonly ideal: string;
}

export function storedReference(): Reference {
  return JSON.parse(fs.readFileSync(files.reference, "utf8")) as Reference;
}

export function storedClosures(): StoredClosures {
  return JSON.parse(fs.readFileSync(files.closures, "utf8")) as StoredClosures;
}

/** float32 numbers as text and back. */
export const packed = (values: Float32Array): string =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
export const unpacked = (text: string): Float32Array =>
  new Float32Array(Uint8Array.from(Buffer.from(text, "base64")).buffer);

/**
 * The closures that are compared: a convolution and neural ideal LES, whose numbers of weights differ by less than a twentieth, and
 * the latter's network without noise, which tells what is the SDE's and what the network's.
 */
export function closures(): { convolution: Closure; quiet: Closure; ideal: IdealClosure } {
  const ideal = new IdealClosure(sides.les, { latent: 6, hidden: 16, steps: 8, encoder: 24, decoder: 12 });
  return { convolution: new ConvolutionalClosure([1, 16, 6, 1]), quiet: withoutNoise(ideal), ideal };
}
