/** Figures to PNG by plotly.js inside kaleido's executable: no network, no system browser. */
import { ChildProcessWithoutNullStreams, spawn } from "child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "fs";
import { tmpdir } from "os";
import { join } from "path";
import { createInterface } from "readline";
import { pathToFileURL } from "url";
import type { Figure } from "./figure";
import { indexedPng } from "./indexedPng";

const root = join(__dirname, "..", "..");

/** Kaleido's folder in .venv, or undefined where set-up has not put it. */
function kaleidoFolder(): string | undefined {
  const lib = join(root, ".venv", "lib");
  if (!existsSync(lib)) return undefined;
  const folders = readdirSync(lib).map((name) => join(lib, name, "site-packages", "kaleido", "executable"));
  return folders.find((folder) => existsSync(join(folder, "bin", "kaleido")));
}

interface Renderer {
  readonly process: ChildProcessWithoutNullStreams;
  /** Resolves with the answer to the oldest figure in work. */
  readonly waiting: ((answer: { code: number; message: string | null; result: string | null }) => void)[];
}

/** Seconds after which a picture counts as impossible to draw. */
const PATIENCE = 180;

let renderer: Renderer | undefined;

function start(): Renderer {
  if (renderer) return renderer;
  const folder = kaleidoFolder();
  if (!folder) throw new Error("kaleido is not in .venv: run npm run setup.");
  const flags = [
    "--disable-gpu",
    "--allow-file-access-from-files",
    "--disable-breakpad",
    "--disable-dev-shm-usage",
  ];
  // As a URL: kaleido takes a path with letters beyond ASCII apart.
  const plotly = pathToFileURL(join(root, "node_modules", "plotly.js-dist", "plotly.js")).href;
  // Kaleido leaves a page behind at every start.
  const scratch = mkdtempSync(join(tmpdir(), "porous-sgm-png-"));
  process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));
  // The executable itself, not its shell wrapper, which breaks on paths with spaces.
  const child = spawn(
    join(folder, "bin", "kaleido"),
    ["plotly", `--plotlyjs=${plotly}`, "--no-sandbox", ...flags],
    {
      cwd: folder,
      env: {
        ...process.env,
        LD_LIBRARY_PATH: [join(folder, "lib"), process.env.LD_LIBRARY_PATH].filter(Boolean).join(":"),
        FONTCONFIG_PATH: join(folder, "etc", "fonts"),
        XDG_DATA_HOME: join(folder, "xdg"),
      },
    },
  );
  const waiting: Renderer["waiting"] = [];
  const end = (message: string) => {
    if (renderer?.process === child) renderer = undefined;
    for (const answer of waiting.splice(0)) answer({ code: 1, message, result: null });
  };
  child.on("error", (error) => end(error.message));
  child.on("exit", (code) => end(`kaleido ended with status ${code}`));
  child.stdin.on("error", () => undefined); // its exit is what is reported
  child.stderr.resume();
  let greeted = false;
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (!line.startsWith("{")) return;
    // The first answer says that it has started; each further one is a picture.
    if (!greeted) greeted = true;
    else waiting.shift()?.(JSON.parse(line));
  });
  // It must not keep a finished program alive, and must not outlive it: its input closes with ours.
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr])
    (stream as unknown as { unref(): void }).unref();
  return (renderer = { process: child, waiting });
}

/**
 * Draws a figure as PNG, at `scale` pixels for each of the layout's.
 *
 * Throws an Error with plotly's or kaleido's words if the figure cannot be drawn.
 */
export async function pngOf(figure: Figure, scale = 1.3): Promise<Buffer> {
  const { data, layout } = figure;
  const { process: child, waiting } = start();
  // Unreferenced pipes do not hold the event loop: this does while a picture is awaited, and ends a kaleido that draws none.
  const hold = setTimeout(() => child.kill("SIGKILL"), 1000 * PATIENCE);
  try {
    const answer = await new Promise<{ code: number; message: string | null; result: string | null }>(
      (resolve) => {
        waiting.push(resolve);
        child.stdin.write(
          JSON.stringify({
            data: { data, layout },
            format: "png",
            width: layout["width"] ?? 860,
            height: layout["height"] ?? 400,
            scale,
          }) + "\n",
        );
      },
    );
    if (answer.code !== 0 || !answer.result)
      throw new Error(`The figure could not be drawn: ${answer.message}`);
    return indexedPng(Buffer.from(answer.result, "base64"));
  } finally {
    clearTimeout(hold);
  }
}
