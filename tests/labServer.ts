/** JupyterLab as `npm run lab` starts it, for tests that talk to its server. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net, { type AddressInfo } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { deadline, end } from "./processes";

const { environment, root } = require("../scripts/environment") as {
  environment: (base?: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
  root: string;
};
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** A server at its start; call end() in the end. */
export class LabServer {
  /** All that it has printed. */
  printed = "";

  private constructor(
    readonly process: ChildProcess,
    readonly port: number,
    private readonly runtime: string,
  ) {
    for (const stream of [process.stdout!, process.stderr!])
      stream.on("data", (text: Buffer) => (this.printed += text.toString()));
  }

  /** Starts one with further options and environment. */
  static async start(options: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<LabServer> {
    const port = await freePort();
    const own = ["--no-browser", `--ServerApp.port=${port}`, "--ServerApp.port_retries=0"];
    const all = environment({ ...process.env, ...env });
    const child = spawn(process.execPath, [path.join("scripts", "lab.js"), ...own, ...options], {
      cwd: root,
      env: all,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      ...deadline(3600),
    });
    return new LabServer(child, port, all["JUPYTER_RUNTIME_DIR"]!);
  }

  get ended(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** Waits until it answers; returns its token, or undefined if it has ended before. Throws if it does neither. */
  async ready(seconds = 120): Promise<string | undefined> {
    const enough = Date.now() + 1000 * seconds;
    while (!this.ended) {
      const token = this.token();
      if (token !== undefined && (await this.answers(token))) return token;
      if (Date.now() > enough) throw new Error(`JupyterLab does not answer:\n${this.printed}`);
      await sleep(50);
    }
    return undefined;
  }

  /** Its address with a path, such as "/api/status". */
  at(place: string): string {
    return `http://127.0.0.1:${this.port}${place}`;
  }

  /** The token in the file by which Jupyter's own commands find a server. */
  private token(): string | undefined {
    if (!fs.existsSync(this.runtime)) return undefined;
    for (const name of fs.readdirSync(this.runtime)) {
      if (!/^jpserver-\d+\.json$/.test(name)) continue;
      try {
        const info = JSON.parse(fs.readFileSync(path.join(this.runtime, name), "utf8")) as Record<string, unknown>; // prettier-ignore
        if (info["port"] === this.port) return String(info["token"]);
      } catch {
        // It is being written, or has gone.
      }
    }
    return undefined;
  }

  private async answers(token: string): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(10_000);
      return (await fetch(this.at(`/api/status?token=${token}`), { signal })).ok;
    } catch {
      return false;
    }
  }

  /** Asks it once to end, as Ctrl-C does; if that did not help it would be killed. */
  async end(signal?: NodeJS.Signals): Promise<void> {
    await end(this.process, signal, [60_000]);
  }
}
