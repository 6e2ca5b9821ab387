"""Two front ends on one kernel with a slider and a button: what they are told. For tests/widgets.test.ts.

The standard input is a JSON list of runs, each a list of [front end, kind, content]. Prints a JSON object.
"""

import json
import sys
import time

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

CELL = """
import { button, column, logSlider, toggle } from "./lib/notebook/widgets";
const rate = logSlider({ label: "rate", unit: "1/s", min: 1e-5, max: 1, value: 1e-3 });
const press = button({ label: "stop" });
let calls = 0;
rate.onChange((value) => { calls++; console.log("now " + value); });
press.onChange((count) => { if (count === 1) throw new Error("as wanted"); console.log("pressed " + count); });
column(rate, press);
"""


def main():
    runs = json.load(sys.stdin)
    manager, first = start_new_kernel(kernel_name="tslab", startup_timeout=300)
    second = BlockingKernelClient(connection_file=manager.connection_file)
    second.load_connection_file()
    second.start_channels()
    second.wait_for_ready(timeout=60)
    clients = [first, second]

    def drain(client, quiet=0.5):
        found = []
        while True:
            try:
                found.append(client.get_iopub_msg(timeout=quiet))
            except Exception:
                return found

    def run(source, wait=True, **more):
        sent = first.execute(source, **more)
        found = []
        while wait:
            message = first.get_iopub_msg(timeout=120)
            found.append(message)
            idle = message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
            if idle and message["parent_header"]["msg_id"] == sent:
                break
        return sent, found

    def text(found):
        return "".join(m["content"]["text"] for m in found if m["msg_type"] == "stream")

    def send(client, kind, content):
        message = client.session.msg(kind, content)
        client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def until_printed(client, sent, line):
        """What comes until the echo of a message has come and a line is printed; on a slow machine that takes a while."""
        found = []
        while not (
            any(m["parent_header"].get("msg_id") == sent and m["msg_type"] == "comm_msg" for m in found)
            and line in text(found)
        ):
            found.append(client.get_iopub_msg(timeout=60))
        return found

    report = {}
    try:
        # As nbclient, which asks nobody anything.
        _, found = run(CELL + "for await (const value of rate) console.log(value);", allow_stdin=False)
        shown = [m["content"]["data"] for m in found if m["msg_type"] == "display_data"]
        report["alone"] = [text(found), shown, sorted({m["msg_type"] for m in found if "comm" in m["msg_type"]})]

        made, found = run(CELL, allow_stdin=True)
        opened = [m for m in found if m["msg_type"] == "comm_open"]
        report["parents"] = all(m["parent_header"]["msg_id"] == made for m in opened)
        models = {m["content"]["data"]["state"]["_model_name"]: m["content"]["comm_id"] for m in opened}
        report["models"] = sorted(models)
        report["shown"] = [m["content"]["data"] for m in found if m["msg_type"] == "display_data"]
        report["root"] = models["VBoxModel"]
        slider, press = models["FloatLogSliderModel"], models["ButtonModel"]

        # A page that loads finds all of them, in both ways.
        send(second, "comm_info_request", {"target_name": "jupyter.widget"})
        info = second.get_shell_msg(timeout=60)
        report["info"] = [info["msg_type"], sorted(info["content"]["comms"]) == sorted(m["content"]["comm_id"] for m in opened)]
        drain(second)
        control = {"comm_id": "control", "target_name": "jupyter.widget.control", "data": {}}
        send(second, "comm_open", control)
        asked = send(second, "comm_msg", {"comm_id": "control", "data": {"method": "request_states"}})
        (states,) = [m for m in drain(second) if m["msg_type"] == "comm_msg"]
        report["states"] = [
            states["parent_header"]["msg_id"] == asked,
            states["content"]["data"]["states"][slider]["state"]["value"],
        ]
        send(second, "comm_close", {"comm_id": "control", "data": {}})
        send(second, "comm_open", {"comm_id": "none", "target_name": "nobody", "data": {}})
        report["unknown"] = [m["content"] for m in drain(second) if m["msg_type"] == "comm_close"]

        def update(client, value):
            data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
            return send(client, "comm_msg", {"comm_id": slider, "data": data})

        # A cell that awaits hears what is moved meanwhile.
        run("const seen: number[] = []; for await (const v of rate) { seen.push(v); if (v === 1e-2) break; }", wait=False)
        time.sleep(2)
        drain(first)
        update(second, 1e-2)
        _, found = run("console.log(JSON.stringify(seen.slice(-1)));")
        report["loop"] = text(found)

        # Random messages from both, of which the newest allowed value counts.
        report["runs"] = []
        for messages in runs:
            for client in clients:
                drain(client, 0.1)
            for number, kind, content in messages:
                if kind == "value":
                    sent = update(clients[number], content)
                    # The next one shall be handled after this one.
                    time.sleep(0.003)
                else:
                    send(clients[number], kind, {"comm_id": slider, **content})
            last = update(clients[0], 0.5)
            both = [until_printed(client, last, "now 0.5") + drain(client, 0.1) for client in clients]
            echoes = [
                [m for m in found if m["content"].get("data", {}).get("method") == "echo_update"] for found in both
            ]
            printed = [m for m in both[0] if m["msg_type"] == "stream"]
            report["runs"].append(
                {
                    "same": [m["content"] for m in echoes[0]] == [m["content"] for m in echoes[1]],
                    "last": echoes[0][-1]["content"]["data"]["state"]["value"],
                    "own": echoes[0][-1]["parent_header"]["msg_id"] == last,
                    "printed": text(printed).splitlines()[-1:],
                    "parents": all(m["parent_header"]["msg_id"] == made for m in printed),
                    "other": sorted({m["content"]["name"] for m in printed}),
                }
            )
            update(clients[1], 0.25)

        # Hundreds at once, three times.
        report["many"] = []
        for _ in range(3):
            run("calls = 0;")
            for i in range(900):
                update(first, 0.1 + i / 10000)
                if i % 100 == 99:  # read along: 0MQ drops what overflows a queue of 1000
                    drain(first)
            _, found = run("console.log(JSON.stringify([rate.value, calls]));")
            report["many"].append(json.loads(text(found)))

        # A callback that throws, the next that does not, and the kernel goes on.
        drain(first)
        for _ in range(2):
            send(first, "comm_msg", {"comm_id": press, "data": {"method": "custom", "content": {"event": "click"}}})
            found = drain(first)
            errors = [m for m in found if m["msg_type"] == "error"]
            report.setdefault("presses", []).append(
                [
                    [m["content"]["ename"] + ": " + m["content"]["evalue"] for m in errors],
                    all(m["parent_header"]["msg_id"] == made for m in errors),
                    text(found),
                ]
            )

        # What is set from here is told to both, and a value outside is refused in a sentence.
        _, found = run("rate.value = 0.02;")
        report["set"] = [m["content"]["data"] for m in found if m["msg_type"] == "comm_msg"]
        _, found = run("rate.value = 7;")
        report["refused"] = text(found)
        print(json.dumps(report))
    finally:
        for client in clients:
            client.stop_channels()
        manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    main()
