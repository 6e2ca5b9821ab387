"""A peer's side of `npm run bench`: waits for commands, each a line of JSON, and answers each with one.

    {"command": "load", "folder": ...}      reads what scripts/bench/workload.ts wrote, and computes the same
                                            -> {"losses": [...], "denoised": [...]}
    {"command": "step", "seconds": s}       trains for that long -> {"seconds": [of each step]}
    {"command": "forward", "seconds": s}    the same for denoising

All answers have "cpu": the processor time that this process has used, before and after. It ends with its input.
"""

import json
import math
import os
import signal
import sys
import time

# As in lib/training/batches.ts.
FAINT_VARIANCE = 1e-4


class Workload:
    """A preset's model, data and optimiser. A peer gives the methods that raise NotImplementedError."""

    def __init__(self, folder):
        with open(os.path.join(folder, "bench.json"), encoding="utf-8") as file:
            self.about = json.load(file)
        self.tensors = {}
        with open(os.path.join(folder, "tensors.bin"), "rb") as file:
            for name, shape in self.about["tensors"]:
                self.tensors[name] = self.tensor(bytearray(file.read(4 * math.prod(shape))), shape)
        prefix = "weights/"
        self.weights = {
            name[len(prefix) :]: tensor for name, tensor in self.tensors.items() if name.startswith(prefix)
        }

    def tensor(self, values, shape):
        """An array from the bytes of its float32."""
        raise NotImplementedError

    def start(self):
        """Goes back to the first weights."""
        raise NotImplementedError

    def step(self, noise=None):
        """One step of training, as lib/training does; returns its loss."""
        raise NotImplementedError

    def forward(self):
        """See ScoreModel.denoise."""
        raise NotImplementedError

    def check(self):
        """Losses of the first steps on one batch and noise, and the denoised fields, for comparison."""
        self.start()
        noise = self.tensors["batch/noise"]
        denoised = self.forward()
        losses = [self.step(noise) for _ in range(self.about["checkedSteps"])]
        self.start()
        return {"losses": losses, "denoised": denoised.flatten().tolist()}


def timed(action, seconds):
    """Runs an action for so long, at least once; returns the seconds of each."""
    times, start = [], time.perf_counter()
    while not times or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        action()
        times.append(time.perf_counter() - before)
    return times


def serve(workload_of):
    """Answers commands about what workload_of(folder) makes."""
    # Ctrl-C is for the program that started this one, and ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    workload = None
    for line in sys.stdin:
        request = json.loads(line)
        before = time.process_time()
        try:
            if request["command"] == "load":
                workload = workload_of(request["folder"])
                answer = workload.check()
            else:
                answer = {"seconds": timed(getattr(workload, request["command"]), request["seconds"])}
        except (ValueError, RuntimeError) as error:
            answer = {"error": str(error).split("\n", 1)[0]}
        print(json.dumps({**answer, "cpu": [before, time.process_time()]}), flush=True)
