"""Takes out of an executed notebook what differs between two executions and says nothing."""

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


def merged(outputs):
    """Outputs in which pieces of one stream that follow one another are one."""
    result = []
    for output in outputs:
        last = result[-1] if result else None
        if last and output["output_type"] == last["output_type"] == "stream" and output["name"] == last["name"]:
            last["text"] += output["text"]
        else:
            result.append(output)
    return result


def clean(notebook, root):
    """Cleans an executed notebook in place; paths inside `root`, the project, become relative to it."""
    prefix = str(root) + "/"
    for key in NOTEBOOK:
        notebook.metadata.pop(key, None)
    notebook.metadata["kernelspec"] = KERNEL
    notebook.metadata["language_info"] = LANGUAGE
    for cell in notebook.cells:
        for key in CELL:
            cell.metadata.pop(key, None)
        if cell.cell_type != "code":
            continue
        cell.outputs = merged(cell.outputs)
        for output in cell.outputs:
            if "text" in output:
                output["text"] = output["text"].replace(prefix, "")
            for kind, content in output.get("data", {}).items():
                if kind.startswith("text/") and isinstance(content, str):
                    output["data"][kind] = content.replace(prefix, "")
