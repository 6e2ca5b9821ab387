/** JupyterLab as `npm run lab` starts it: on the loopback address alone, and nothing without the token. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LabServer } from "./labServer";

/** npm run test:soak makes 50 of them. */
const STARTS = Math.max(3, Number(process.env["POROUS_SGM_SOAK"] ?? 1000) / 400);

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
  const lab = await LabServer.start();
  try {
    const token = await lab.ready();
    assert.ok(token !== undefined && token.length >= 20, lab.printed);
    const status = async (place: string, init?: RequestInit) =>
      (await fetch(lab.at(place), { redirect: "manual", signal: AbortSignal.timeout(60_000), ...init }))
        .status;
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
      assert.equal(await answers(address, lab.port), false, `it listens on ${address}`);
    }
    assert.equal(await answers("127.0.0.1", lab.port), true);
  } finally {
    await lab.end();
  }
});

/** Processes whose environment has a variable of this value. */
function withVariable(value: string): number[] {
  const pids = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const has = (pid: string) => {
    try {
      return fs.readFileSync(`/proc/${pid}/environ`, "utf8").includes(value);
    } catch {
      return false; // it has ended, or is another user's
    }
  };
  return pids.filter(has).map(Number);
}

test(`${STARTS} starts, ended at random moments: server and kernels are gone each time`, async (t) => {
  if (!fs.existsSync("/proc/self/environ"))
    return t.skip("the system does not tell the environment of processes");
  let usual = 0; // ms from a start to the first answer
  for (let start = 0; start <= STARTS; start++) {
    const mark = randomUUID();
    const begin = performance.now();
    const lab = await LabServer.start([], { POROUS_SGM_TEST: mark });
    /** Resolves once it answers and has been asked for a kernel, or has ended. */
    const up = lab.ready().then(async (token) => {
      if (token === undefined) return;
      usual ||= performance.now() - begin;
      const init = { method: "POST", headers: { Authorization: `token ${token}` } };
      await fetch(lab.at("/api/kernels"), { ...init, signal: AbortSignal.timeout(60_000) }).catch(
        () => undefined,
      );
    });
    // The first tells how long a start takes, and ends with its kernel.
    const moment = 1.5 * Math.random() * usual;
    await (start === 0 ? up : sleep(moment));
    const asked = performance.now();
    await lab.end(start % 2 === 0 ? "SIGINT" : "SIGTERM");
    assert.notEqual(lab.process.signalCode, "SIGKILL", lab.printed);
    // A kernel that the server did not end looks every second whether it is still there.
    while (withVariable(mark).length > 0) {
      assert.ok(performance.now() - asked < 60_000, `processes ${withVariable(mark).join()} run on`);
      await sleep(20);
    }
    const seconds = ((performance.now() - asked) / 1000).toFixed(1);
    if (STARTS > 3)
      t.diagnostic(
        `ended after ${(moment / 1000).toFixed(2)} s of ${(usual / 1000).toFixed(2)} s: ${seconds} s`,
      );
    await up;
  }
});
