/** How much memory the data of a training may take. */
import os from "node:os";

/** Of the memory that is free, what one use of it may take: others, and TensorFlow's steps, need some as well. */
const SHARE = 0.25;
/** A file that is loaded takes so many times its size: numbers of double precision, standardised ones and their tensors. */
const LOADED_TIMES = 6;

/** Bytes that one use may take: a share of what this machine, or the limits of its control group, leave free. */
export function memoryToUse(): number {
  // Since Node 20.13; os.freemem knows no limits.
  const { availableMemory } = process as { availableMemory?: () => number };
  return SHARE * Math.min(availableMemory?.call(process) ?? Infinity, os.freemem());
}

/** Largest size of a file that is loaded rather than read row by row. */
export function bytesToLoad(): number {
  return (2 * memoryToUse()) / LOADED_TIMES;
}
