"use strict";
// A notebook as text, for git diff: Markdown with the cells' code in fences and each output as one line.
// Enabled by: git config diff.notebook.textconv "node scripts/notebook-text.js"

const crypto = require("crypto");
const fs = require("fs");

const PLOTLY = "application/vnd.plotly.v1+json";
const join = (text) => [text ?? ""].flat().join("");

/** One line: the figure with a digest that tells whether it has changed, or how printed text begins. */
function outputLine({ data = {}, text }) {
  const words = join(data["text/plain"] ?? text)
    .trim()
    .split("\n");
  const figure = data[PLOTLY];
  if (figure === undefined) return `> ${words[0]}${words.length > 1 ? ` ... (${words.length} lines)` : ""}`;
  const digest = crypto.createHash("sha256").update(JSON.stringify(figure)).digest("hex");
  return `> [figure ${digest.slice(0, 8)}] ${words[0]}`;
}

function cellText({ cell_type, source, metadata, outputs }) {
  if (cell_type !== "code") return join(source);
  const fence = ["ts", ...(metadata?.tags ?? [])].join(" ");
  return [`\`\`\`${fence}`, join(source), "```", ...(outputs ?? []).map(outputLine)].join("\n");
}

/** The text of a parsed notebook. */
function notebookText({ cells, metadata }) {
  const { preset, fingerprint } = metadata?.porous_sgm ?? {};
  const head = fingerprint ? [`<!-- executed with ${preset}, ${fingerprint.slice(0, 8)} -->`] : [];
  return `${[...head, ...cells.map(cellText)].join("\n\n")}\n`;
}

if (require.main === module)
  process.stdout.write(notebookText(JSON.parse(fs.readFileSync(process.argv[2], "utf8"))));

module.exports = { notebookText };
