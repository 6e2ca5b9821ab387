/** Filtered direct simulations, which are computed once and kept. */
import fs from "node:fs";
import path from "node:path";
import { filtered, KolmogorovFlow, sides } from "./flow";

/** Time from one snapshot to the next: that for which a closure holds. */
export const INTERVAL = 0.1;
/** Step of the direct simulation, and how long it runs before anything is kept. */
export const dnsTime = { step: 0.02, before: 20, kept: 200 };

/** Where they are kept; the folder may be removed at any time. */
const folder = path.join(__dirname, "..", "..", "..", "build", "gallery-data", "kolmogorov-flow");

/** Snapshots of a filtered direct simulation, vorticities [24, 24] one after the other, float32, from time 0 at intervals. */
export function* directSimulation(
  stream: number,
  { before, kept, step }: typeof dnsTime = dnsTime,
): Generator<Float32Array> {
  const [dns, les] = [new KolmogorovFlow(sides.dns), new KolmogorovFlow(sides.les)];
  let state = dns.advance(dns.start(0, stream), step, Math.round(before / step));
  const count = Math.round(kept / INTERVAL);
  for (let k = 0; k <= count; k++) {
    if (k > 0) state = dns.advance(state, step, Math.round(INTERVAL / step));
    yield Float32Array.from(les.values(filtered(state, dns, les)));
  }
}

/** The same as one array (snapshots, 24, 24), from the disk if it is there; a minute else. `stream` names the initial eddies. */
export function keptSimulation(stream: number): Float32Array {
  const file = path.join(folder, `${stream}.float32`);
  const length = (Math.round(dnsTime.kept / INTERVAL) + 1) * sides.les ** 2;
  if (fs.existsSync(file) && fs.statSync(file).size === 4 * length) {
    const bytes = fs.readFileSync(file);
    return new Float32Array(bytes.buffer, bytes.byteOffset, length);
  }
  const all = new Float32Array(length);
  let at = 0;
  for (const snapshot of directSimulation(stream)) {
    all.set(snapshot, at);
    at += snapshot.length;
  }
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(`${file}.${process.pid}`, all);
  fs.renameSync(`${file}.${process.pid}`, file); // never half a file, and two processes do not meet
  return all;
}
