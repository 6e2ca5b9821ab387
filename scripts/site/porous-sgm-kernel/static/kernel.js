"use strict";
// An extension of JupyterLite. Its JavaScript kernel takes one message at a time, so that a control that is turned while a cell
// runs waits for its end, and the stop button stops what has not begun only. The cell's worker does take messages while a cell
// awaits something: they are brought there directly.

(() => {
  const KERNEL = "javascript-worker";
  const KERNEL_PLUGIN = "@jupyterlite/javascript-kernel-extension:kernel-worker";
  const LONGEST = 2000; // ms that output is waited for

  const kernels = new Map(); // by id

  /** A kernel of the class JavaScriptKernel, whose members these are. */
  function mended(kernel) {
    const cells = new Map(); // headers of the requests of cells by their ids: callbacks print below the cell of their control
    const delivered = new Set(); // ids of messages that were brought to the worker
    const settled = new Map();
    let running = 0;

    const { processRuntimeMessage, executeRequest, commMsg } = kernel;
    kernel.processRuntimeMessage = function (message) {
      if (message.type === "settled") return settled.get(message.id)?.();
      const cell = cells.get(message.cell);
      if (cell && message.type === "stream") return this.stream(message.bundle, cell);
      if (cell && message.type === "display_data") return this.displayData(message.bundle, cell);
      return processRuntimeMessage.call(this, message);
    };
    /** Output comes by another way than the reply, which may overtake it: what is sent after it tells that it has come. */
    const outputHasCome = (id) =>
      new Promise((resolve) => {
        settled.set(id, resolve);
        setTimeout(resolve, LONGEST);
        const send = `Jupyter.comm._onOutput({ type: "settled", id: ${JSON.stringify(id)} });`;
        void kernel.runtimeBackend.execute(send, 0, id);
      }).finally(() => settled.delete(id));
    kernel.executeRequest = async function (content) {
      const { parentHeader } = this;
      cells.set(parentHeader.msg_id, parentHeader);
      running++;
      try {
        const reply = await executeRequest.call(this, content);
        await outputHasCome(parentHeader.msg_id);
        return reply;
      } finally {
        running--;
      }
    };
    kernel.commMsg = function (message) {
      return delivered.delete(message.header.msg_id) ? Promise.resolve() : commMsg.call(this, message);
    };
    /** Brings a control's message to the cell that runs, before its turn. */
    const deliver = (message) => {
      if (running === 0) return;
      delivered.add(message.header.msg_id);
      void commMsg.call(kernel, message);
    };
    const interrupt = () =>
      running > 0 && kernel.runtimeBackend.execute('globalThis[Symbol.for("porous-sgm.interrupt")]?.();', 0);
    kernels.set(kernel.id, { deliver, interrupt });
    kernel.disposed.connect(() => kernels.delete(kernel.id));
    return kernel;
  }

  const plugin = (IKernelSpecs, IKernelClient, INotebookTracker) => ({
    id: "porous-sgm-kernel:plugin",
    autoStart: true,
    requires: [IKernelSpecs, IKernelClient, INotebookTracker],
    async activate(app, specs, client, notebooks) {
      await app.activatePlugin(KERNEL_PLUGIN);
      const create = specs.factories.get(KERNEL);
      const spec = specs.specs.kernelspecs[KERNEL];
      specs.register({ spec, create: async (options) => mended(await create(options)) });

      const { interrupt } = client;
      client.interrupt = function (id) {
        void kernels.get(id)?.interrupt();
        return interrupt.call(this, id);
      };

      const watched = new WeakSet();
      const watch = (connection) => {
        if (!connection || watched.has(connection)) return;
        watched.add(connection);
        connection.anyMessage.connect((_, { msg, direction }) => {
          if (direction === "send" && msg.header.msg_type === "comm_msg")
            kernels.get(connection.id)?.deliver(msg);
        });
      };
      notebooks.widgetAdded.connect((_, { sessionContext }) => {
        watch(sessionContext.session?.kernel);
        sessionContext.kernelChanged.connect((__, { newValue }) => watch(newValue));
      });
    },
  });

  // What a bundler would write: a container of webpack's module federation, with one module.
  let shared;
  const module = async (name) => (await Object.values(shared[name])[0].get())();
  globalThis._JUPYTERLAB ??= {};
  globalThis._JUPYTERLAB["porous-sgm-kernel"] = {
    init(scope) {
      shared = scope;
    },
    async get() {
      const { IKernelSpecs, IKernelClient } = await module("@jupyterlite/services");
      const { INotebookTracker } = await module("@jupyterlab/notebook");
      return () => ({ __esModule: true, default: plugin(IKernelSpecs, IKernelClient, INotebookTracker) });
    },
  };
})();
