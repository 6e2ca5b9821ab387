"""Executes notebooks with the project's TypeScript kernel and writes them to a folder, with their figures.

usage: execute.py [--in-place | --to FOLDER] NOTEBOOK...

Prints what the cells print while they run, and at the end how long each notebook took. A cell tagged figure-N also gives a
picture, figure-N.png, in FOLDER/../figures (docs/figures with --in-place). A failing cell ends the run with status 1: tslab
reports a failure in the kernel's reply alone, so that is what counts.

The notebook's metadata get the fingerprint of code and data (scripts/fingerprint.js), taken before the first notebook runs, and
the preset. With --in-place, results go into commits: work files that were made with other code are removed first.
"""

import argparse
import base64
import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from notebook_noise import clean, give_ids
from work_files import listing, note_made, remove_outdated

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
PRESET = os.environ.get("POROUS_SGM_BUDGET", "lesson")
WORK = ROOT / "build" / "work" / PRESET
INTERACTIVE = sys.stdout.isatty()
# Seconds after which a cell counts as one that never ends.
CELL = {"smoke": 900, "lesson": 7200}.get(PRESET, 14 * 86400)


class Client(NotebookClient):
    """Shows streams and the text of live outputs on the terminal as they come."""

    line = ""
    pending = ""
    last = 0.0

    def process_message(self, msg, cell, cell_index):
        kind, content = msg["msg_type"], msg["content"]
        if kind == "stream":
            self.put(content["text"])
        elif kind in ("display_data", "update_display_data"):
            data = content["data"]
            text = data.get("text/plain", "")
            live = content.get("transient", {}).get("display_id")
            if live and "image/png" not in data:
                self.progress(text)
            elif "application/vnd.plotly.v1+json" not in data:
                self.put(text + "\n")
        return super().process_message(msg, cell, cell_index)

    def put(self, text):
        if self.line:
            print("\r" + " " * len(self.line) + "\r", end="")
            self.line = ""
        for line in text.splitlines():
            print("    " + line, flush=True)

    def progress(self, text):
        text = "    " + text.strip().splitlines()[0]
        if INTERACTIVE:
            print("\r" + text.ljust(len(self.line)), end="", flush=True)
            self.line = text
            return
        self.pending = text
        if time.monotonic() - self.last > 15:
            self.flush()

    def flush(self):
        """Prints the last state of a live output that has not been printed."""
        if self.pending:
            self.last = time.monotonic()
            print(self.pending, flush=True)
            self.pending = ""

    async def async_execute_cell(self, *args, **kwargs):
        try:
            return await super().async_execute_cell(*args, **kwargs)
        finally:
            self.flush()


def name_of(path):
    """A notebook's name, with its folder below notebooks/."""
    path = path.resolve()
    return str(path.relative_to(NOTEBOOKS)) if path.is_relative_to(NOTEBOOKS) else path.name


def fingerprints_of(paths):
    """The fingerprints that notebooks have with the code and data of now."""
    node = KernelSpecManager().get_kernel_spec("tslab").argv[0]  # the one that runs the kernel
    command = [node, ROOT / "scripts" / "fingerprint.js", *paths]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=300).stdout
    return [line.split()[0] for line in printed.splitlines()]


def remove_outdated_work_files():
    @functools.cache
    def fingerprint(name):
        path = NOTEBOOKS / name
        return fingerprints_of([path])[0] if path.exists() else None

    for name in remove_outdated(WORK, fingerprint):
        print(f"removed {(WORK / name).relative_to(ROOT)}: made with other code, or by hand", flush=True)


def execute(path, target, figures, fingerprint):
    """Executes one notebook; whether it went well."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    give_ids(raw)
    notebook = nbformat.reads(json.dumps(raw), as_version=4)
    before = listing(WORK)
    client = Client(notebook, kernel_name="tslab", timeout=CELL, resources={"metadata": {"path": str(path.parent)}})
    client.startup_timeout = 300
    client.record_timing = False
    failure = None
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError) as error:
        failure = error
    client.put("")
    note_made(WORK, before, name_of(path), fingerprint)
    clean(notebook, ROOT)
    notebook.metadata["porous_sgm"] = {"fingerprint": fingerprint, "preset": PRESET}
    # Written whole or not at all, and a failed run only where it does not replace a good one.
    if failure is None or target != path:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        # What a figure's trace holds shares a line: with a line for each number figures would be twice as large.
        text = re.sub(r"\n {10,}|\n {9}(?=[\]}])", "", nbformat.writes(notebook))
        partial.write_text(text.rstrip() + "\n", encoding="utf-8")  # as JupyterLab ends a file
        os.replace(partial, target)
    for cell in notebook.cells:
        for tag in cell.metadata.get("tags", []):
            if not tag.startswith("figure-"):
                continue
            pictures = [o.data["image/png"] for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
            if pictures:
                figures.mkdir(parents=True, exist_ok=True)
                (figures / f"{tag}.png").write_bytes(base64.b64decode(pictures[-1]))
                print(f"  {tag}: {figures / (tag + '.png')}")
    if failure is not None:
        print(f"{path.name}: a cell failed:\n{str(failure)[-2000:]}", file=sys.stderr)
        return False
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--in-place", action="store_true")
    parser.add_argument("--to", type=pathlib.Path, default=pathlib.Path("build/notebooks"))
    parser.add_argument("notebooks", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    figures = pathlib.Path("docs/figures") if options.in_place else options.to.parent / "figures"
    if options.in_place:
        remove_outdated_work_files()
    times = {}
    good = True
    fingerprints = fingerprints_of(options.notebooks)
    for number, (path, fingerprint) in enumerate(zip(options.notebooks, fingerprints, strict=True), 1):
        print(f"[{number}/{len(options.notebooks)}] {name_of(path)}", flush=True)
        target = path if options.in_place else options.to / name_of(path)
        start = time.monotonic()
        good = execute(path, target, figures, fingerprint)
        times[name_of(path)] = time.monotonic() - start
        if not good:
            break
    times["in all"] = sum(times.values())
    for name, seconds in times.items():
        print(f"{name.ljust(max(map(len, times)))} {seconds:7.1f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
