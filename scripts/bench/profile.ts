/** Where the time of a piece of work goes, by native operation; what is compiled runs operation by operation for this. */
import { eagerly } from "../../lib/backend/compiled";
import { native } from "../../lib/backend/native/binding";
import type { ProfileRow } from "./peer";

/** The row of all that is not inside a native operation: tfjs itself and the code that calls it. */
export const OUTSIDE = "outside of operations";

/**
 * Runs some work `steps` times and tells calls and milliseconds a step of each native operation, the longest first, and
 * milliseconds a step in all. An operation's time includes what tfjs's backend does to call it.
 */
export async function profiled(
  work: () => Promise<void>,
  steps: number,
): Promise<{ rows: ProfileRow[]; milliseconds: number }> {
  const backend = native();
  const times = new Map<string, { calls: number; milliseconds: number }>();
  const timed = <T>(name: string, call: () => T): T => {
    const start = performance.now();
    try {
      return call();
    } finally {
      const sum = times.get(name) ?? { calls: 0, milliseconds: 0 };
      sum.calls++;
      sum.milliseconds += performance.now() - start;
      times.set(name, sum);
    }
  };
  const single = backend.executeSingleOutput.bind(backend);
  const multiple = backend.executeMultipleOutputs.bind(backend);
  // Own properties hide the methods, so that removing them restores the backend.
  backend.executeSingleOutput = (...call) => timed(call[0], () => single(...call));
  backend.executeMultipleOutputs = (...call) => timed(call[0], () => multiple(...call));
  const start = performance.now();
  try {
    await eagerly(async () => {
      for (let i = 0; i < steps; i++) await work();
    });
  } finally {
    Reflect.deleteProperty(backend, "executeSingleOutput");
    Reflect.deleteProperty(backend, "executeMultipleOutputs");
  }
  const total = (performance.now() - start) / steps;
  const rows = Array.from(times, ([name, { calls, milliseconds }]): ProfileRow => [
    name,
    calls / steps,
    milliseconds / steps,
  ]).sort((a, b) => b[2] - a[2]);
  const inside = rows.reduce((sum, [, , milliseconds]) => sum + milliseconds, 0);
  return { rows: [...rows, [OUTSIDE, NaN, total - inside]], milliseconds: total };
}
