"""Drives the real kernel as JupyterLab does: starts a training, interrupts it, and runs the next cell.

Prints one JSON object for tests/execute.test.ts.
"""

import json
import queue
import sys
import time

from jupyter_client.manager import start_new_kernel

TRAIN = """
import { generateDataSet } from "./lib/presets/simulate";
import { porousElectrode } from "./lib/presets/electrodeProblem";
import { presets } from "./lib/presets/presets";
import { createModel } from "./lib/presets/createModel";
import { trainModel } from "./lib/storage/trainingRun";
const data = generateDataSet(porousElectrode("figures"), { conditions: 40, fields: 4, seed: 1 });
const model = createModel(data, presets.lesson);
let steps = 0;
let after = false;
console.log("ready");
"""
LOOP = """
import path from "path";
const begun = path.join("a", "b");
for await (const state of trainModel(model, data, presets.lesson.training, { steps: 100000 })) {
  steps = state.step;
  if (steps === 3) console.log("training");
}
after = true;
const ended = begun;
"""
REPORT = """
const first = steps;
await new Promise((resolve) => setTimeout(resolve, 1500));
const weights = model.network.getWeights().map((w) => w.abs().sum().dataSync()[0]);
console.log(JSON.stringify({ first, later: steps, after, begun, finite: weights.every(Number.isFinite) }));
"""


def run(client, code, until=None):
    """Executes a cell; returns when it has replied, or when `until` was printed."""
    message = client.execute(code)
    text = ""
    while True:
        try:
            received = client.get_iopub_msg(timeout=120)
        except queue.Empty:
            sys.exit("the kernel fell silent")
        if received["parent_header"].get("msg_id") != message:
            continue
        if received["msg_type"] == "stream":
            text += received["content"]["text"]
            if until is not None and until in text:
                return message, text
        if received["msg_type"] == "status" and received["content"]["execution_state"] == "idle":
            return message, text


def reply_of(client, message):
    while True:
        reply = client.get_shell_msg(timeout=120)
        if reply["parent_header"].get("msg_id") == message:
            return reply["content"]["status"]


def main():
    manager, client = start_new_kernel(kernel_name="tslab", startup_timeout=300)
    try:
        message, text = run(client, TRAIN)
        assert reply_of(client, message) == "ok", text
        message, _ = run(client, LOOP, until="training")
        manager.interrupt_kernel()
        begin = time.monotonic()
        interrupted = reply_of(client, message)
        seconds = time.monotonic() - begin
        time.sleep(0.5)  # tslab refuses cells for 200 ms after a failure
        message, text = run(client, REPORT)
        status = reply_of(client, message)
        report = json.loads(text.strip().splitlines()[-1])
        message, unknown = run(client, "console.log(ended);")
        reply_of(client, message)
        print(json.dumps({"interrupted": interrupted, "seconds": seconds, "next": status, "unknown": unknown, **report}))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    main()
