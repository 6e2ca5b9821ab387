"use strict";
/* global ResizeObserver, requestAnimationFrame, structuredClone */
// An extension of JupyterLab, loaded by npm run lab. The renderer of the Python package plotly shows a figure's PNG, at its
// full size, until the mouse comes over it, and ignores updates of a figure that it has drawn. Here it draws at once,
// no wider than there is room, and redraws what a cell updates while it runs; and where a figure's layout has
// meta.hoverFrames, hovering over a point that carries the name of a frame as its customdata shows that frame.

(() => {
  const MIME = "application/vnd.plotly.v1+json";
  const PLOTLY = "@jupyterlab/plotly-extension:factory";
  const SMALLEST = 0.6; // smaller letters could not be read: the figure scrolls instead

  /** Properties of a layout that are lengths in pixels: all of a figure shrinks, its letters and margins too. */
  const LENGTHS = new Set(["width", "height", "standoff", "xshift", "yshift", "pad", "l", "r", "t", "b"]);
  function scaled(value, factor, key = "", within = "") {
    if (Array.isArray(value)) return value.map((item) => scaled(item, factor, "", key));
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, scaled(v, factor, k, key)]));
    }
    const length = LENGTHS.has(key) || (key === "size" && /font$/.test(within));
    return length && typeof value === "number" ? value * factor : value;
  }

  /** The factor that makes a figure as wide as there is room, at most as wide as it was made. */
  function factorFor(node, layout) {
    const room = node.clientWidth / layout.width;
    return room > 0 ? Math.min(1, Math.max(SMALLEST, room)) : 1; // a figure may have no width, a hidden cell no room
  }

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
    let latest; // model
    let bundle; // of the model that is drawn, at full size
    let factor; // it is drawn at
    let done = Promise.resolve();

    /** Draws data and layout, each length of it times `by`, with the bundle's frames. */
    async function draw(data, layout, by) {
      const frames = bundle.frames?.map((frame) => ({ ...frame, layout: scaled(frame.layout, factor) }));
      // With a uirevision a zoom stays when a cell updates its figure.
      const figure = { ...bundle, data, layout: { uirevision: true, ...scaled(layout, by) }, frames };
      if (renderer.hasGraphElement()) return renderer.constructor.Plotly.react(node, figure);
      // It would write a PNG of its own into the notebook.
      await renderer.createGraph({ data: { [MIME]: figure }, setData() {} });
      if (layout.meta?.hoverFrames) showFramesOnHover(renderer.constructor.Plotly, node, frames ?? []);
    }
    const fitting = () => factorFor(node, bundle.layout);
    const inTurn = (task) => {
      const drawn = done.then(task);
      done = drawn.catch(() => undefined);
      return drawn;
    };

    renderer.renderModel = (model) => {
      latest = model;
      return inTurn(() => {
        if (model !== latest) return undefined;
        // Plotly writes into what it draws; the notebook keeps what the kernel sent.
        bundle = structuredClone(model.data[MIME]);
        bundle.layout.font = { size: 12, ...bundle.layout.font }; // Plotly's own, so that it shrinks with the rest
        factor = fitting();
        return draw(bundle.data, bundle.layout, factor);
      });
    };
    /** Keeps the figure as wide as its place, in the state that the reader has brought it to. */
    const fit = () => {
      if (!bundle || !node.clientWidth || !renderer.hasGraphElement()) return undefined;
      const before = factor;
      factor = fitting();
      return Math.abs(factor - before) < 0.005 ? undefined : draw(node.data, node.layout, factor / before);
    };
    const observer = new ResizeObserver(() => requestAnimationFrame(() => inTurn(fit)));
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
