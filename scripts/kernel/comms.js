"use strict";
// Jupyter's widgets, which tslab 1.0.22 does not have: comms that are opened, changed, closed and asked for, and found again when
// a page is loaded anew. lib/notebook/widgets.ts asks for them by a symbol. tslab takes messages while a cell runs: what is
// moved then changes the running program.

const { AsyncLocalStorage } = require("async_hooks");
const { randomUUID } = require("crypto");
const { JupyterHandlerImpl, ZmqServer } = require("tslab/dist/jupyter");
const { told } = require("./failures");
const { answer } = require("./messages");

const PAUSE = 10; // ms in which changes are gathered: of thousands a second the newest counts
const TARGET = "jupyter.widget";
const CONTROL = "jupyter.widget.control"; // by which a page asks for all states at once
const VIEW = "application/vnd.jupyter.widget-view+json";
const MODULES = { Layout: ["@jupyter-widgets/base", "2.0.0"] };
const CONTROLS = ["@jupyter-widgets/controls", "2.0.0"];

const requests = new WeakMap(); // of the content of a request to execute the request
const callback = new AsyncLocalStorage(); // the cell whose callback runs
const widgets = new Map();
let server;
let running; // the cell that was started last

/** A message on the channel that all front ends hear. */
function publish(parent, type, content, metadata = {}) {
  const message = parent.createReply();
  message.header.msg_type = type;
  Object.assign(message, { content, metadata });
  message.signAndSend(server.connInfo.key, server.iopub);
}

const ids = (value) => {
  if (value instanceof Widget) return `IPY_MODEL_${value.id}`;
  return Array.isArray(value) ? value.map(ids) : value;
};

/** One model of the front ends: a control, a box or a style. */
class Widget {
  id = randomUUID().replaceAll("-", "");
  listeners = new Set();
  changed = new Map(); // since the listeners were called: of each member the message that it came with
  clicks = 0;
  busy = false;

  constructor(name, state) {
    this.cell = callback.getStore() ?? running;
    const [module, version] = MODULES[name] ?? CONTROLS;
    const isStyle = /Style$/.test(name);
    const view = isStyle ? "StyleView" : `${name}View`;
    const [viewModule, viewVersion] = isStyle ? MODULES.Layout : [module, version];
    this.state = {
      _model_module: module,
      _model_module_version: version,
      _model_name: `${name}Model`,
      _view_module: viewModule,
      _view_module_version: viewVersion,
      _view_name: view,
      ...Object.fromEntries(Object.entries(state).map(([key, value]) => [key, ids(value)])),
    };
    widgets.set(this.id, this);
    const content = { comm_id: this.id, target_name: TARGET, data: { state: this.state, buffer_paths: [] } };
    publish(this.cell.request, "comm_open", content, { version: "2.1.0" });
  }

  send(data, parent = this.cell.request) {
    publish(parent, "comm_msg", { comm_id: this.id, data });
  }

  /** Changes members of the state, here and at the front ends. */
  set(state) {
    Object.assign(this.state, state);
    for (const key of Object.keys(state)) this.changed.delete(key); // older than this
    this.send({ method: "update", state, buffer_paths: [] });
  }

  /** `listener` gets the changed members of the state, and how often a button was pressed. */
  listen(listener) {
    this.listeners.add(listener);
  }

  show(text) {
    const view = { version_major: 2, version_minor: 0, model_id: this.id };
    this.cell.display({ data: { [VIEW]: view, "text/plain": text }, metadata: {}, transient: {} }, false);
  }

  close(parent = this.cell.request) {
    if (widgets.delete(this.id)) publish(parent, "comm_close", { comm_id: this.id, data: {} });
  }

  /** Takes what a front end sends. */
  receive({ method, state, content }, request) {
    if (method === "request_state")
      this.send({ method: "update", state: this.state, buffer_paths: [] }, request);
    if (method === "custom" && content?.event === "click") this.clicks++;
    if (method === "update")
      for (const [key, value] of Object.entries(state ?? {})) {
        if (key.startsWith("_") || !Object.hasOwn(this.state, key)) continue;
        this.state[key] = value;
        this.changed.set(key, request);
      }
    if (!this.busy && (this.changed.size > 0 || this.clicks > 0)) {
      this.busy = true;
      setTimeout(() => void this.tell(), PAUSE);
    }
  }

  /** Tells the front ends and the listeners what has changed, until nothing has while they were told. */
  async tell() {
    while (this.changed.size > 0 || this.clicks > 0) {
      const { changed, clicks } = this;
      Object.assign(this, { changed: new Map(), clicks: 0 });
      // A front end knows its own change by the message that it sent.
      for (const request of new Set(changed.values())) {
        const own = [...changed.keys()].filter((key) => changed.get(key) === request);
        const state = Object.fromEntries(own.map((key) => [key, this.state[key]]));
        this.send({ method: "echo_update", state, buffer_paths: [] }, request);
      }
      const changes = Object.fromEntries([...changed.keys()].map((key) => [key, this.state[key]]));
      for (const listener of this.listeners) await this.call(() => listener(changes, clicks));
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    this.busy = false;
  }

  /** Calls a listener; what it prints and how it fails is shown below the widget's cell. */
  async call(listener) {
    try {
      await callback.run(this.cell, listener);
    } catch (error) {
      const text = String(told(error));
      const content = { ename: String(error?.name ?? "Error"), evalue: text.split("\n")[0] };
      publish(this.cell.request, "error", { ...content, traceback: text.split("\n") });
    }
  }
}

/** Every cell's way out, and that of callbacks to the cell of their widget. */
function mendOutput() {
  const { handleExecute } = ZmqServer.prototype;
  ZmqServer.prototype.handleExecute = function (socket, request) {
    server = this;
    requests.set(request.content, request);
    return handleExecute.call(this, socket, request);
  };
  const { handleExecuteImpl, createWriteToIopub } = JupyterHandlerImpl.prototype;
  JupyterHandlerImpl.prototype.handleExecuteImpl = function (content, write, display) {
    const request = requests.get(content);
    // A cell that runs again makes its widgets anew.
    const cellId = request.metadata.cellId;
    for (const widget of widgets.values())
      if (cellId !== undefined && widget.cell.cellId === cellId) widget.close(request);
    // Programs that run notebooks ask nobody anything; where there is a person, there is a front end.
    running = { request, cellId, write, display, interactive: content.allow_stdin === true };
    const displayed = (...args) => (callback.getStore()?.display ?? display)(...args);
    return handleExecuteImpl.call(this, content, write, displayed);
  };
  JupyterHandlerImpl.prototype.createWriteToIopub = function (name, write) {
    const written = (...args) => (callback.getStore()?.write ?? write)(...args);
    return createWriteToIopub.call(this, name, written);
  };
}

/** What front ends ask and tell. */
function mendRequests() {
  ZmqServer.prototype.handleCommInfoRequest = function (socket, request) {
    const { target_name: target = TARGET } = request.content;
    const all = target === TARGET ? [...widgets.keys()] : [];
    const comms = Object.fromEntries(all.map((id) => [id, { target_name: TARGET }]));
    const reply = request.createReply();
    reply.header.msg_type = "comm_info_reply";
    reply.content = { status: "ok", comms };
    reply.signAndSend(this.connInfo.key, socket);
  };
  const asking = new Set(); // comms of pages that ask for all states
  answer({
    comm_open(from, request) {
      server = from;
      const { comm_id, target_name } = request.content;
      if (target_name === CONTROL) asking.add(comm_id);
      else publish(request, "comm_close", { comm_id, data: {} });
    },
    comm_msg(from, request) {
      server = from;
      const { comm_id, data } = request.content;
      widgets.get(comm_id)?.receive(data ?? {}, request);
      if (!asking.has(comm_id) || data?.method !== "request_states") return;
      const states = {};
      for (const [id, { state }] of widgets)
        states[id] = {
          model_name: state._model_name,
          model_module: state._model_module,
          model_module_version: state._model_module_version,
          state,
        };
      publish(request, "comm_msg", { comm_id, data: { method: "update_states", states, buffer_paths: [] } });
    },
    comm_close(from, request) {
      const { comm_id } = request.content;
      asking.delete(comm_id);
      widgets.delete(comm_id);
    },
  });
}

module.exports = function mendComms() {
  mendOutput();
  mendRequests();
  globalThis[Symbol.for("porous-sgm.widgets")] = {
    /** Whether what a cell makes now is seen by somebody. */
    present: () => (callback.getStore() ?? running)?.interactive === true,
    create: (name, state) => new Widget(name, state),
    /** `listener` is called at the stop button; returns what ends this. */
    onInterrupt(listener) {
      process.on("SIGINT", listener);
      return () => void process.off("SIGINT", listener);
    },
  };
};
