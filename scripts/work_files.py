"""Which notebook made which file of build/work, and with which code.

Notebooks leave data sets and models for later ones. What was made with other code, or by hand, must not come into results
that are committed under a new fingerprint.
"""

import json
import os
import pathlib

RECORD = ".made-by.json"


def listing(folder):
    """State of each file in the folder: {relative name: [time of last change in ns, bytes]}."""
    states = {}
    for parent, _, names in os.walk(folder):
        for file in (pathlib.Path(parent) / name for name in names if not name.startswith(RECORD)):
            try:
                state = file.stat()
            except FileNotFoundError:  # another run has removed it meanwhile
                continue
            states[str(file.relative_to(folder))] = [state.st_mtime_ns, state.st_size]
    return states


def read_record(folder):
    record = folder / RECORD
    return json.loads(record.read_text()) if record.exists() else {}


def note_made(folder, before, notebook, fingerprint):
    """Notes what has changed in the folder since `before`, a listing, as made by a notebook with this fingerprint."""
    after = listing(folder)
    record = {name: made for name, made in read_record(folder).items() if name in after}
    for name, state in after.items():
        if before.get(name) != state:
            record[name] = {"notebook": notebook, "fingerprint": fingerprint, "state": state}
    if folder.exists():
        partial = folder / f"{RECORD}.{os.getpid()}"
        partial.write_text(json.dumps(record, indent=1))
        os.replace(partial, folder / RECORD)  # whole or not at all, for other runs


def remove_outdated(folder, fingerprint_of):
    """Removes the files whose maker is unknown or has another fingerprint now; returns their names."""
    record = read_record(folder)
    removed = []
    for name, state in sorted(listing(folder).items()):
        made = record.get(name)
        if made is None or made["state"] != state or made["fingerprint"] != fingerprint_of(made["notebook"]):
            (folder / name).unlink()
            removed.append(name)
    return removed
