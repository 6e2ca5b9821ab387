"""Takes out of an executed notebook what differs between two executions and says nothing."""

from nbconvert.preprocessors.coalescestreams import CoalesceStreamsPreprocessor

# What JupyterLab, VS Code and others keep of a session.
CELL = ("execution", "ExecuteTime", "collapsed", "scrolled", "trusted", "vscode")
NOTEBOOK = ("widgets", "signature", "vscode", "orig_nbformat")

KERNEL = {"display_name": "TypeScript", "language": "typescript", "name": "tslab"}
LANGUAGE = {"name": "typescript", "file_extension": ".ts", "mimetype": "text/typescript"}


def give_ids(raw):
    """Names cells that have no name yet (in place): nbformat would take random ones."""
    taken = {cell.get("id") for cell in raw["cells"]}
    for number, cell in enumerate(raw["cells"], 1):
        if not cell.get("id"):
            fresh = (f"cell-{number:02d}" + suffix for suffix in ["", *(f"-{k}" for k in range(2, 1000))])
            cell["id"] = next(name for name in fresh if name not in taken)
            taken.add(cell["id"])


def clean(notebook, root):
    """Cleans an executed notebook in place; paths inside `root`, the project, become relative to it."""
    prefix = str(root) + "/"
    streams = CoalesceStreamsPreprocessor()  # pieces of one stream that follow one another become one
    for key in NOTEBOOK:
        notebook.metadata.pop(key, None)
    notebook.metadata["kernelspec"] = KERNEL
    notebook.metadata["language_info"] = LANGUAGE
    for cell in notebook.cells:
        for key in CELL:
            cell.metadata.pop(key, None)
        if cell.cell_type != "code":
            continue
        streams.preprocess_cell(cell, {}, 0)
        for output in cell.outputs:
            if "text" in output:
                output["text"] = output["text"].replace(prefix, "")
            for kind, content in output.get("data", {}).items():
                if kind.startswith("text/") and isinstance(content, str):
                    output["data"][kind] = content.replace(prefix, "")
