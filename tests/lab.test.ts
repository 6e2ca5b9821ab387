/** JupyterLab as `npm run lab` starts it: on the loopback address alone, and nothing without the token. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";

const root = path.join(__dirname, "..");

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Whether somebody listens there. */
async function answers(host: string, port: number): Promise<boolean> {
  const socket = net.connect(port, host);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test("JupyterLab listens on the loopback address alone, and wants its token for everything", async () => {
  const port = await freePort();
  const args = ["scripts/lab.js", "--no-browser", `--ServerApp.port=${port}`, "--ServerApp.port_retries=0"];
  const lab = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(lab, "exit");
  try {
    let printed = "";
    const token = await new Promise<string>((resolve, reject) => {
      const read = (text: Buffer) => {
        printed += text.toString();
        const found = /http:\/\/127\.0\.0\.1:\d+\/lab\S*token=([0-9a-f]{20,})/.exec(printed);
        if (found) resolve(found[1]);
      };
      lab.stdout.on("data", read);
      lab.stderr.on("data", read);
      lab.once("exit", (code) => reject(new Error(`JupyterLab ended with status ${code}:\n${printed}`)));
    });
    const status = async (place: string, init?: RequestInit) =>
      (await fetch(`http://127.0.0.1:${port}${place}`, { redirect: "manual", ...init })).status;
    assert.equal(await status(`/api/contents?token=${token}`), 200);
    const guesses = ["", "?token=", `?token=${"0".repeat(token.length)}`];
    for (const place of [
      "/api/contents",
      "/api/kernels",
      "/api/sessions",
      "/api/terminals",
      "/files/README.md",
    ]) {
      // 302 leads to the page that asks for the token.
      for (const guess of guesses) assert.ok([302, 403].includes(await status(place + guess)), place + guess);
    }
    assert.equal(await status("/api/kernels", { method: "POST" }), 403);
    const others = Object.values(os.networkInterfaces()).flatMap((list) => list ?? []);
    for (const { address, internal, family } of others) {
      if (internal || family !== "IPv4") continue;
      assert.equal(await answers(address, port), false, `it listens on ${address}`);
    }
    assert.equal(await answers("127.0.0.1", port), true);
  } finally {
    lab.kill();
    await ended;
  }
});
