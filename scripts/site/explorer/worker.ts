/** Computes what the page shows, apart from it, so that it never freezes. The newest request ends the work on older ones. */
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { tf } from "../../../lib/backend/tensors";
import { Explorer } from "./explorer";
import type { FromWorker, ToWorker } from "./messages";
import type { Settings } from "./settings";

const post = (message: FromWorker) => self.postMessage(message);

let newest: { readonly settings: Settings; readonly brief: boolean } | undefined;
let stop = new AbortController();
let busy = false;

/** Works until nothing newer is asked for. */
async function work(explorer: Explorer): Promise<void> {
  if (busy) return;
  busy = true;
  while (newest) {
    const { settings, brief } = newest;
    [newest, stop] = [undefined, new AbortController()];
    try {
      await explorer.show(settings, brief, stop.signal);
      post({ kind: "done", settings, tensors: tf.memory().numTensors });
    } catch (error) {
      if (!stop.signal.aborted) post({ kind: "failed", message: (error as Error).message });
    }
  }
  busy = false;
}

const starting = start();
starting.catch((error: Error) => post({ kind: "failed", message: error.message }));

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === "show") {
    newest = data;
    stop.abort();
  }
  void starting.then(
    (explorer) => (data.kind === "save" ? post({ kind: "saved", csv: explorer.csv() }) : work(explorer)),
    () => undefined, // said already
  );
};

/** Loads the model on the first backend that computes what the native one has computed. */
async function start(): Promise<Explorer> {
  setWasmPaths(new URL(".", self.location.href).href);
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  const reasons: string[] = [];
  for (const backend of ["wasm", "cpu"]) {
    const name = backend === "wasm" ? "WebAssembly" : "JavaScript";
    try {
      if (!(await tf.setBackend(backend))) throw new Error("it does not start");
      const { explorer, error } = await Explorer.load(post);
      const note =
        reasons.length > 0 ? `${reasons.join(" ")} All is computed by ${name}, which is slow.` : "";
      post({ kind: "ready", backend: name, note, error });
      return explorer;
    } catch (error) {
      reasons.push(`${name} cannot be used: ${(error as Error).message.replace(/\.$/, "")}.`);
    }
  }
  throw new Error(reasons.join(" "));
}
