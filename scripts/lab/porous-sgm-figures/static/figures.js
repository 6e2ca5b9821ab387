"use strict";
/* global ResizeObserver, structuredClone */
// An extension of JupyterLab, loaded by npm run lab. The renderer of the Python package plotly shows a figure's PNG, at its
// full size, until the mouse comes over it, and ignores updates of a figure that it has drawn. Here it draws at once,
// no wider than there is room, and redraws what a cell updates while it runs; and where a figure's layout has
// meta.hoverFrames, hovering over a point that carries the name of a frame as its customdata shows that frame.

(() => {
  const MIME = "application/vnd.plotly.v1+json";
  const PLOTLY = "@jupyterlab/plotly-extension:factory";
  const NARROWEST = 480; // pixels; below, panels have no room for their axes

  function showFramesOnHover(Plotly, node, frames) {
    const names = new Set(frames.map(({ name }) => name));
    const at = { mode: "immediate", frame: { duration: 0, redraw: true }, transition: { duration: 0 } };
    node.on("plotly_hover", ({ points }) => {
      const name = points
        .map(({ customdata }) => String([customdata].flat()[0]))
        .find((text) => names.has(text));
      if (name !== undefined) Plotly.animate(node, [name], at);
    });
  }

  /** Changes a renderer of plotly's package so that each model it is given is drawn, the last one last. */
  function alive(renderer) {
    const { node } = renderer;
    let wanted; // the width that the figure asks for
    let latest;
    let done = Promise.resolve();
    const fitting = () => Math.min(wanted, Math.max(node.clientWidth || wanted, NARROWEST));

    async function draw(model) {
      // Plotly writes into what it draws; the notebook keeps what the kernel sent.
      const { data, layout, frames, config } = structuredClone(model.data[MIME]);
      wanted = layout.width;
      const fitted = { uirevision: true, ...layout, ...(wanted ? { width: fitting() } : {}) };
      // No button that sends the figure to a server.
      const figure = { data, layout: fitted, frames, config: { ...config, showSendToCloud: false } };
      if (!renderer.hasGraphElement()) {
        // It would write a PNG of its own into the notebook.
        await renderer.createGraph({ data: { [MIME]: figure }, setData() {} });
        if (layout.meta?.hoverFrames) showFramesOnHover(renderer.constructor.Plotly, node, frames ?? []);
        return;
      }
      await renderer.constructor.Plotly.react(node, data, fitted, figure.config);
      if (frames) await renderer.constructor.Plotly.addFrames(node, frames);
    }

    renderer.renderModel = (model) => {
      latest = model;
      const drawn = done.then(() => (model === latest ? draw(model) : undefined));
      done = drawn.catch(() => undefined);
      return drawn;
    };
    const observer = new ResizeObserver(() => {
      if (!wanted || !node.clientWidth || !renderer.hasGraphElement()) return;
      if (node.layout?.width !== fitting()) renderer.constructor.Plotly.relayout(node, { width: fitting() });
    });
    observer.observe(node);
    renderer.disposed.connect(() => observer.disconnect());
    renderer.onUpdateRequest = () => undefined; // would draw everything once more at each change of size
    return renderer;
  }

  const plugin = (registry) => ({
    id: "porous-sgm-figures:plugin",
    autoStart: true,
    requires: [registry],
    async activate(app, rendermime) {
      await app.activatePlugin(PLOTLY);
      const factory = rendermime.getFactory(MIME);
      const createRenderer = (options) => alive(factory.createRenderer(options));
      rendermime.addFactory({ ...factory, createRenderer }, 0);
    },
  });

  // What a bundler would write: a container of webpack's module federation, with one module.
  let shared;
  globalThis._JUPYTERLAB ??= {};
  globalThis._JUPYTERLAB["porous-sgm-figures"] = {
    init(scope) {
      shared = scope;
    },
    async get() {
      const [version] = Object.values(shared["@jupyterlab/rendermime"]);
      const { IRenderMimeRegistry } = (await version.get())();
      return () => ({ __esModule: true, default: plugin(IRenderMimeRegistry) });
    },
  };
})();
