import { CoarseFlow } from "../../lib/gallery/ideal-les/coarse";
import { sides } from "../../lib/gallery/ideal-les/flow";
import { keptSimulation } from "../../lib/gallery/ideal-les/flowData";
import { streams, trained, training } from "../../lib/gallery/ideal-les/run";
import { FlowStatistics } from "../../lib/gallery/ideal-les/statistics";
import { closures, packed, type Reference, type StoredClosures } from "../../lib/gallery/ideal-les/stored";

const command = "npm run study -- kolmogorov-flow";

/** Statistics of the direct simulations that no closure sees in training. */
export function flowReference(progress: (text: string) => void): Reference & { command: string } {
  const cells = sides.les ** 2;
  const starts = new Float32Array(streams.reference.length * cells);
  const all = streams.reference.map((stream, k) => {
    progress(`direct simulation ${stream}`);
    const snapshots = keptSimulation(stream);
    starts.set(snapshots.subarray(0, cells), k * cells);
    const statistics = new FlowStatistics();
    for (let at = 0; at < snapshots.length; at += cells) statistics.add(snapshots.subarray(at, at + cells));
    return statistics;
  });
  return {
    command,
    shells: all.map(({ shells }) => shells.map((energy) => Number(energy.toPrecision(5)))),
    features: all.flatMap(({ features }) =>
      features.map((row) => row.map((value) => Number(value.toFixed(3)))),
    ),
    starts: packed(starts),
  };
}

/** The closures of seed 1, for lessons. */
export function trainedClosures(progress: (text: string) => void): StoredClosures & { command: string } {
  const flow = new CoarseFlow(sides.les);
  const simulations = streams.training.map(keptSimulation);
  const { convolution, quiet, ideal } = closures();
  const [first, second, third] = [convolution, quiet, ideal].map((closure) => {
    progress(`training of ${closure.size} weights`);
    return packed(trained(flow, closure, { ...training, seed: 1 }, simulations));
  });
  return { command, convolution: first, quiet: second, ideal: third };
}
