// Draws each figure when the reader comes near; until then, and without JavaScript, its picture stands there.
/* global document, window, requestAnimationFrame, IntersectionObserver, ResizeObserver, URL */
(() => {
  "use strict";
  const library = new URL("plotly/plotly.js", document.currentScript.src).href;
  const { scaled, factorFor, showFramesOnHover } = window.porousSgmFigures;

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
      const wanted = factorFor(figure, bundle.layout);
      if (figure.clientWidth === 0 || Math.abs(wanted - factor) < 0.005) return;
      const { data, layout } = plot;
      Plotly.react(plot, shrunk({ ...bundle, data, layout }, wanted / factor, wanted));
      factor = wanted;
    };
    new ResizeObserver(() => requestAnimationFrame(fit)).observe(figure);
  }

  async function draw(figure) {
    const bundle = JSON.parse(figure.querySelector("script").textContent);
    const { layout, frames = [] } = bundle;
    const Plotly = await plotly();
    const plot = document.createElement("div");
    plot.className = "plot";
    figure.append(plot);
    const factor = factorFor(figure, layout);
    await Plotly.newPlot(plot, shrunk(bundle, factor));
    if (layout.meta?.hoverFrames) showFramesOnHover(Plotly, plot, frames);
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
