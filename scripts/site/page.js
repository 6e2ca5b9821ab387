// Draws each figure when the reader comes near; until then, and without JavaScript, its picture stands there.
/* global document, window, requestAnimationFrame, IntersectionObserver, ResizeObserver, URL */
(() => {
  "use strict";
  const library = new URL("plotly/plotly.js", document.currentScript.src).href;
  const SMALLEST = 0.6; // smaller letters could not be read: the figure scrolls instead

  let loading;
  /** Plotly, loaded when the first figure needs it. */
  const plotly = () =>
    (loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = library;
      script.onload = () => resolve(window.Plotly);
      script.onerror = reject;
      document.head.append(script);
    }));

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

  /** The factor that makes a figure as wide as the page leaves room for, at most as wide as it was made. */
  const factorFor = (figure, width) => Math.min(1, Math.max(SMALLEST, figure.clientWidth / width));

  /** A figure and its frames, made smaller. */
  const shrunk = ({ data, layout, config, frames = [] }, factor, frameFactor = factor) => ({
    data,
    layout: scaled(layout, factor),
    config,
    frames: frames.map((frame) => ({ ...frame, layout: scaled(frame.layout, frameFactor) })),
  });

  /** Keeps a drawn figure as wide as its place, in the state that its slider has brought it to. */
  function fitOnResize(Plotly, figure, plot, bundle, drawn) {
    let factor = drawn;
    const fit = () => {
      const wanted = factorFor(figure, bundle.layout.width);
      if (figure.clientWidth === 0 || Math.abs(wanted - factor) < 0.005) return;
      const { data, layout } = plot;
      Plotly.react(plot, shrunk({ ...bundle, data, layout }, wanted / factor, wanted));
      factor = wanted;
    };
    new ResizeObserver(() => requestAnimationFrame(fit)).observe(figure);
  }

  /** Hovering over a point that carries the name of a frame shows that frame. */
  function framesOnHover(Plotly, plot, names) {
    plot.on("plotly_hover", ({ points }) => {
      const named = points.map(({ customdata }) => String([customdata].flat()[0]));
      const name = named.find((candidate) => names.has(candidate));
      const at = { mode: "immediate", frame: { duration: 0, redraw: true }, transition: { duration: 0 } };
      if (name !== undefined) Plotly.animate(plot, [name], at);
    });
  }

  async function draw(figure) {
    const bundle = JSON.parse(figure.querySelector("script").textContent);
    const { layout, frames = [] } = bundle;
    const Plotly = await plotly();
    const plot = document.createElement("div");
    plot.className = "plot";
    figure.append(plot);
    const factor = factorFor(figure, layout.width);
    await Plotly.newPlot(plot, shrunk(bundle, factor));
    if (layout.meta?.hoverFrames) framesOnHover(Plotly, plot, new Set(frames.map(({ name }) => name)));
    fitOnResize(Plotly, figure, plot, bundle, factor);
    figure.dataset.drawn = "true";
  }

  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        draw(target);
      }
    },
    { rootMargin: "800px 0px" },
  );
  for (const figure of document.querySelectorAll(".figure")) near.observe(figure);

  /** Formulas wider than the page shrink a little, as far as they can be read. */
  const formulas = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      target.style.fontSize = "";
      const wanted = target.clientWidth / target.scrollWidth;
      if (wanted < 1) target.style.fontSize = `${Math.max(0.75, wanted - 0.01)}em`;
    }
  });
  for (const formula of document.querySelectorAll(".formula")) formulas.observe(formula);
})();
