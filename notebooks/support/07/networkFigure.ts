/** A block of the network, drawn from the layers of the model itself. */
import type { tf } from "../../../lib/backend/tensors";
import { colour, faded, type Figure, type Json } from "../../../lib/figures/figure";

const HEX: Record<string, string> = {
  Conv1D: colour.pde,
  DilatedConv1D: colour.pde,
  TokenConv1D: colour.pde,
  Affine: colour.fourth,
  FiLM: colour.sgm,
  Activation: colour.third,
  SiLU: colour.third,
  Add: colour.grey,
  ReplicatePad: colour.fifth,
};

interface Box {
  readonly layer: string;
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

/**
 * Draws the layers whose names start with `prefix`: features on the lower row, left to right, the FiLM network that
 * modulates them on the upper row, arrows where the model has connections.
 *
 * text: what the picture is, for those who do not see it. Throws an Error if the model has no such layers.
 */
export function blockFigure(model: tf.LayersModel, prefix = "block1_", text = "A block"): Figure {
  const layers = model.layers.filter(({ name }) => name.startsWith(prefix));
  if (layers.length === 0) throw new Error(`The model has no layer whose name starts with ${prefix}.`);
  const isFilm = (name: string) => /film\d/.test(name);
  const rows = [layers.filter(({ name }) => !isFilm(name)), layers.filter(({ name }) => isFilm(name))];
  const boxes: Box[] = rows.flatMap((row, level) =>
    row.map((layer, i) => ({
      layer: layer.name,
      text: describe(layer),
      x: (i + 0.5) / row.length,
      y: level,
    })),
  );
  const at = new Map(boxes.map((box) => [box.layer, box]));
  const half = { x: Math.min(0.056, 0.4 / Math.max(...rows.map((row) => row.length))), y: 0.22 };
  const shapes: Json[] = boxes.map(({ layer, x, y }) => {
    const hex = HEX[layers.find(({ name }) => name === layer)!.getClassName()] ?? colour.grey;
    return {
      type: "rect",
      x0: x - half.x,
      x1: x + half.x,
      y0: y - half.y,
      y1: y + half.y,
      line: { color: hex, width: 2 },
      fillcolor: faded(hex, 0.18),
    };
  });
  const labels: Json[] = boxes.map(({ text, x, y }) => ({
    x,
    y,
    text,
    showarrow: false,
    font: { size: 13 },
  }));
  const label = (x: number, y: number, text: string): Json => ({
    x,
    y,
    text,
    xanchor: "right",
    showarrow: false,
    font: { size: 13 },
  });
  const arrow = (fromX: number, fromY: number, toX: number, toY: number): Json => ({
    x: toX,
    y: toY,
    ax: fromX,
    ay: fromY,
    xref: "x",
    yref: "y",
    axref: "x",
    ayref: "y",
    text: "",
    showarrow: true,
    arrowhead: 2,
    arrowwidth: 1.4,
    arrowcolor: "#555",
  });
  const arrows: Json[] = [];
  for (const layer of layers) {
    const to = at.get(layer.name)!;
    for (const source of sourcesOf(layer)) {
      const from = at.get(source);
      if (!from) {
        // From outside the block: its features come from the left, the skip connection passes below.
        if (to.y === 1) {
          arrows.push(arrow(to.x - half.x - 0.03, 1, to.x - half.x, 1));
          labels.push(
            label(
              to.x - half.x - 0.035,
              1,
              source.startsWith("condition") ? "conditions,<br>time" : "FiLM<br>trunk",
            ),
          );
        } else if (layer.getClassName() === "Add") {
          shapes.push({
            type: "path",
            path: `M -0.015 0 L -0.015 -0.45 L ${to.x} -0.45`,
            line: { color: "#555", width: 1.4 },
          });
          // The arrowhead says that the features are added at the end, and do not flow back.
          arrows.push(arrow(to.x, -0.45, to.x, -half.y));
          labels.push({
            x: to.x / 2,
            y: -0.45,
            text: "skip connection: h",
            yanchor: "top",
            showarrow: false,
            font: { size: 13 },
          });
        } else {
          arrows.push(arrow(-0.05, 0, to.x - half.x, to.y));
          labels.push(label(-0.052, 0, "h in"));
        }
      } else if (from.y === to.y) arrows.push(arrow(from.x + half.x, from.y, to.x - half.x, to.y));
      else arrows.push(arrow(from.x, from.y - half.y, to.x, to.y + half.y));
    }
  }
  const out = boxes.filter(({ y }) => y === 0).at(-1)!;
  arrows.push(arrow(out.x + half.x, 0, 1.03, 0));
  labels.push({ ...(label(1.035, 0, "h out") as object), xanchor: "left" });
  const invisible = { visible: false, fixedrange: true };
  return {
    data: [
      { type: "scatter", mode: "markers", x: [0, 1], y: [0, 1], marker: { opacity: 0 }, hoverinfo: "skip" },
    ],
    layout: {
      width: 900,
      height: 350,
      xaxis: { ...invisible, range: [-0.11, 1.1] },
      yaxis: { ...invisible, range: [-0.72, 1.35] },
      shapes,
      annotations: [...labels, ...arrows],
      showlegend: false,
      paper_bgcolor: "white",
      plot_bgcolor: "white",
      font: { family: "Lato, Helvetica, Arial, sans-serif", size: 14, color: "#222" },
      margin: { l: 24, r: 10, t: 10, b: 10 }, // letters differ in width from machine to machine
    },
    text: `${text}: the layers ${layers.map(({ name }) => name).join(", ")}`,
  };
}

/** Names of the layers that feed a layer. */
function sourcesOf(layer: tf.layers.Layer): string[] {
  const nodes = (layer as unknown as { inboundNodes: { inboundLayers: tf.layers.Layer[] }[] }).inboundNodes;
  return nodes[0].inboundLayers.map(({ name }) => name);
}

function describe(layer: tf.layers.Layer): string {
  const config = layer.getConfig() as Record<string, number | string | number[]>;
  const size = layer.countParams();
  const parameters = size > 0 ? `<br><i>${size.toLocaleString("en")}</i>` : "";
  switch (layer.getClassName()) {
    case "Conv1D":
      return `conv ${[config["kernelSize"]].flat()[0]}<br>${config["filters"]} ch.${parameters}`;
    case "DilatedConv1D":
    case "TokenConv1D":
      return `conv ${config["kernelSize"]} / ${config["dilation"]}<br>${config["filters"]} ch.${parameters}`;
    case "Affine":
      return `dense<br>${config["units"]}${parameters}`;
    case "FiLM":
      return `FiLM<br>(1+γ)h+b${config["activation"] ? "<br>SiLU" : ""}`;
    case "SiLU":
      return "SiLU";
    case "Activation":
      return String(config["activation"]);
    case "ReplicatePad":
      return `pad<br>${config["cells"]} + ${config["cells"]}`;
    case "Add":
      return "+";
    default:
      return layer.getClassName();
  }
}
