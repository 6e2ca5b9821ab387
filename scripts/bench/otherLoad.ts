/** How busy other programs keep the machine: beside them, times are not those of a machine of one's own. */
import os from "node:os";

/** Processor seconds of all programs since the machine's start. */
function busySeconds(): number {
  return (
    os.cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0) / 1000
  );
}

/** Processor seconds of this process. */
function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Starts a measurement; the function returned ends it and gives cores that other programs used on average. */
export function otherLoad(ofPartner: () => number): () => number {
  const other = (): number => busySeconds() - ownSeconds() - ofPartner();
  const [before, start] = [other(), performance.now()];
  // The system counts in hundredths of a second: a difference may come out below zero.
  return () => Math.max(0, (1000 * (other() - before)) / (performance.now() - start));
}
