/** A terminal that is closed, or a connection that is lost, while a command runs. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { generateDataSet } from "../lib/presets/simulate";
import { writeDataSet } from "../lib/storage/arrow";
import { deadline } from "./processes";
import { problem } from "./tiny";

const { environment, python } = require("../scripts/environment") as {
  environment: () => NodeJS.ProcessEnv;
  python: string;
};
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-terminal-"));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);
const script = path.join(__dirname, "..", "scripts", "porous-sgm.js");
writeDataSet(at("data.arrow"), generateDataSet(problem, { conditions: 40, fields: 4, seed: 1 }));

/** Runs a command at a terminal of its own, and closes that when the training has told of a step. */
const AT_TERMINAL = `
import os, pty, signal, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
said = b""
while b"step " not in said:
    said += os.read(terminal, 4096)
for _ in range(2):
    os.kill(pid, signal.SIGHUP)  # as a shell does
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

test("a training whose terminal is closed stops, and its model is saved", () => {
  const args = ["train", "--data", at("data.arrow"), "--out", at("model"), "--preset", "lesson", "--steps", "1000000"]; // prettier-ignore
  const { stdout, stderr } = spawnSync(python, ["-c", AT_TERMINAL, process.execPath, script, ...args], {
    env: environment(),
    encoding: "utf8",
    ...deadline(600),
  });
  // Node itself may abort in the end, when it wants to set the terminal back.
  assert.match(stdout, /^(130|-6)\n$/, stderr);
  const { history } = JSON.parse(fs.readFileSync(path.join(at("model"), "model.json"), "utf8")) as {
    history: { interrupted: boolean; steps: number };
  };
  assert.ok(history.interrupted && history.steps > 0);
});

test("what nohup started outlives its terminal", async (t) => {
  if (process.platform !== "linux") return t.skip("nohup leaves no mark on this system");
  const args = ["train", "--data", at("data.arrow"), "--out", at("never"), "--preset", "best"];
  for (const [mode, expected] of [
    ["w", 128 + 15],
    ["r", 128 + 1],
  ] as const) {
    // prettier-ignore
    const input = fs.openSync("/dev/null", mode); // nohup opens it to be written
    const child = spawn(process.execPath, [script, ...args], {
      env: environment(),
      stdio: [input, "pipe", "inherit"],
      ...deadline(600),
    });
    fs.closeSync(input);
    await once(child.stdout!, "data"); // it is preparing
    child.kill("SIGHUP");
    child.kill("SIGTERM");
    const [status] = (await once(child, "close")) as [number | null];
    assert.equal(status, expected);
  }
});
