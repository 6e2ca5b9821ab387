"""Drives the real kernel as JupyterLab does: interrupts a running cell many times, and runs the next one each time.

The cells are in turn a training, a drawing of fields and a computation that never awaits, which ends by itself. Prints, for
tests/soak.test.ts, a JSON object for each interrupt: how the cell ended, whether the next one was right, and tensors.
"""

import json
import sys
import time

from interrupt import reply_of, run
from jupyter_client.manager import start_new_kernel

SETUP = """
import { sampleFields } from "./lib/storage/samplingRun";
import { tf } from "./lib/backend/tensors";
import { createModel } from "./lib/presets/createModel";
import { trainModel } from "./lib/storage/trainingRun";
import { tinyData, tinyPreset, tinyToken, tinyTraining } from "./tests/tiny";
const data = tinyData();
const model = createModel(data, tinyPreset({ ...tinyToken, target: "residual" }));
await sampleFields(model, [1e-5, 0, 25], { count: 1, steps: 3 }); // a model keeps what belongs to its last condition
let [steps, fields, turns] = [0, 0, 0];
console.log("ready");
"""
CELLS = [
    """
for await (const { step } of trainModel(model, data, tinyTraining, { steps: 100000 })) {
  steps = step;
  if (step === 3) console.log("running");
}
""",
    """
const told = ({ fields: done }: { fields: number }) => {
  if (fields === 0) console.log("running");
  fields = done;
};
fields = 0;
await sampleFields(model, [1e-5, 0, 25], { count: 20000, batch: 20, steps: 3, onProgress: told });
""",
    """
console.log("running");
await new Promise((resolve) => setTimeout(resolve, 20)); // the word must leave first
for (const end = performance.now() + 500; performance.now() < end; ) turns++;
""",
]
REPORT = """
const before = [steps, fields, turns];
await new Promise((resolve) => setTimeout(resolve, 200));
const product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2], [3, 4]]), tf.tensor2d([[5], [6]])).dataSync());
const still = JSON.stringify([steps, fields, turns]) === JSON.stringify(before);
console.log(JSON.stringify({ sum: [...product], still, tensors: tf.memory().numTensors, resident: process.memoryUsage().rss }));
"""


def main():
    count = int(sys.argv[1])
    manager, client = start_new_kernel(kernel_name="tslab", startup_timeout=300)
    try:
        message, text = run(client, SETUP)
        assert reply_of(client, message) == "ok", text
        for turn in range(count):
            kind = turn % len(CELLS)
            message, _ = run(client, CELLS[kind], until="running")
            time.sleep(0.1)
            manager.interrupt_kernel()
            ended = reply_of(client, message)
            time.sleep(0.3)  # tslab refuses cells for 200 ms after a failure
            message, text = run(client, REPORT)
            status = reply_of(client, message)
            assert status == "ok", text
            print(json.dumps({"kind": kind, "ended": ended, **json.loads(text.strip().splitlines()[-1])}), flush=True)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    main()
