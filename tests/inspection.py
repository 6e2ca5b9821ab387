"""Asks the real kernel for what Shift+Tab shows in JupyterLab, after a cell of imports.

The standard input is a JSON object: the imports, and pairs of a cell and a text in it, at whose end the cursor is. Prints a
JSON list of what is shown, or null where nothing is, for tests/inspection.test.ts.
"""

import json
import sys

from jupyter_client.manager import start_new_kernel


def main():
    asked = json.load(sys.stdin)
    manager, client = start_new_kernel(kernel_name="tslab", startup_timeout=300)
    try:
        reply = client.execute_interactive(asked["imports"], timeout=120)
        assert reply["content"]["status"] == "ok", reply
        shown = []
        for cell, text in asked["places"]:
            message = client.inspect(cell, cell.index(text) + len(text) - 1)
            reply = client.get_shell_msg(timeout=60)
            assert reply["parent_header"]["msg_id"] == message
            shown.append(reply["content"]["data"].get("text/plain"))
        print(json.dumps(shown))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    main()
