/**
 * How notebooks reach JupyterLite's JavaScript kernel: what they display, and their controls (the host that lib/notebook/host.ts
 * describes). scripts/site/lab sees to the page's side.
 */
import type { Host, Widget } from "../../../lib/notebook/host";
import { interrupt, process } from "./node";

type Content = { readonly [key: string]: unknown };
type State = { [member: string]: unknown };
interface FromPage {
  readonly method?: string;
  readonly state?: State;
  readonly content?: { readonly event?: string };
}
interface Comm {
  readonly commId: string;
  send(data: object): void;
  onMsg: ((data: FromPage) => void) | null;
}
/** What the kernel gives to its cells. */
declare const Jupyter: {
  readonly comm: {
    readonly _onOutput: (message: object) => void;
    open(target: string, data: object, metadata: object): Comm;
    getCurrentMessageId(): string | null;
  };
};

/** What stands for tslab's function of that name, for lib/figures/show.ts. */
export function lastWriteDisplayData(bundle: Content, update: boolean): void {
  Jupyter.comm._onOutput({ type: update ? "update_display_data" : "display_data", bundle });
}

const VIEW = "application/vnd.jupyter.widget-view+json";
const BASE = ["@jupyter-widgets/base", "2.0.0"];
const CONTROLS = ["@jupyter-widgets/controls", "2.0.0"];

const ids = (value: unknown): unknown => {
  if (value instanceof Model) return `IPY_MODEL_${value.comm.commId}`;
  return Array.isArray(value) ? value.map(ids) : value;
};

/** One model of the page's: a control, a box, a layout or a style. */
class Model implements Widget {
  readonly state: State;
  readonly comm: Comm;
  private readonly cell = Jupyter.comm.getCurrentMessageId();
  private readonly listeners = new Set<Parameters<Widget["listen"]>[0]>();
  private changed: State = {};
  private clicks = 0;
  private telling = false;

  constructor(name: string, state: object) {
    const isStyle = name.endsWith("Style");
    const [module, version] = name === "Layout" ? BASE : CONTROLS;
    const [viewModule, viewVersion] = isStyle ? BASE : [module, version];
    this.state = {
      _model_module: module,
      _model_module_version: version,
      _model_name: `${name}Model`,
      _view_module: viewModule,
      _view_module_version: viewVersion,
      _view_name: isStyle ? "StyleView" : `${name}View`,
      ...Object.fromEntries(Object.entries(state).map(([key, value]) => [key, ids(value)])),
    };
    const data = { state: this.state, buffer_paths: [] };
    this.comm = Jupyter.comm.open("jupyter.widget", data, { version: "2.1.0" });
    this.comm.onMsg = (message) => this.receive(message);
  }

  set(state: object): void {
    Object.assign(this.state, state);
    for (const key of Object.keys(state)) delete this.changed[key]; // older than this
    this.comm.send({ method: "update", state, buffer_paths: [] });
  }

  listen(listener: Parameters<Widget["listen"]>[0]): void {
    this.listeners.add(listener);
  }

  show(text: string): void {
    const view = { version_major: 2, version_minor: 0, model_id: this.comm.commId };
    const bundle = { data: { [VIEW]: view, "text/plain": text }, metadata: {}, transient: {} };
    Jupyter.comm._onOutput({ type: "display_data", cell: this.cell, bundle });
  }

  private receive({ method, state = {}, content }: FromPage): void {
    if (method === "request_state") this.comm.send({ method: "update", state: this.state, buffer_paths: [] });
    if (method === "custom" && content?.event === "click") this.clicks++;
    if (method === "update")
      for (const [key, value] of Object.entries(state))
        if (!key.startsWith("_") && key in this.state) this.state[key] = this.changed[key] = value;
    if (!this.telling) void this.tell();
  }

  /** Tells the listeners what has changed, until nothing has while they were told. */
  private async tell(): Promise<void> {
    this.telling = true;
    await new Promise((go) => setTimeout(go, 10)); // of thousands of changes a second the newest counts
    while (Object.keys(this.changed).length > 0 || this.clicks > 0) {
      const { changed, clicks } = this;
      [this.changed, this.clicks] = [{}, 0];
      for (const listener of this.listeners) await this.call(() => listener(changed, clicks));
      await new Promise((go) => setTimeout(go));
    }
    this.telling = false;
  }

  /** Calls a listener; what it prints and how it fails is shown below the control's cell. */
  private async call(listener: () => unknown): Promise<void> {
    const print = (name: string, text: string) =>
      Jupyter.comm._onOutput({ type: "stream", cell: this.cell, bundle: { name, text: `${text}\n` } });
    const { log } = console;
    console.log = (...values: unknown[]) => print("stdout", values.map(String).join(" "));
    try {
      await listener();
    } catch (error) {
      print("stderr", String(error));
    } finally {
      console.log = log;
    }
  }
}

const host: Host = {
  present: () => true,
  create: (name, state) => new Model(name, state),
  onInterrupt(listener) {
    process.on("SIGINT", listener);
    return () => process.off("SIGINT", listener);
  },
};
Object.assign(globalThis, {
  [Symbol.for("porous-sgm.widgets")]: host,
  [Symbol.for("porous-sgm.interrupt")]: interrupt,
});
