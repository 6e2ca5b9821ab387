import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { deadline } from "./processes";

const { notebookText } = require("../scripts/notebook-text") as {
  notebookText: (notebook: object) => string;
};

const root = path.join(__dirname, "..");
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "porous-sgm-"));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** A notebook with a figure whose line ends at y, and a text in one of its cells. */
const notebook = (y: number, text: string) => ({
  cells: [
    { cell_type: "markdown", metadata: {}, source: ["# Title\n", "\n", text] },
    {
      cell_type: "code",
      metadata: { tags: ["figure-1"] },
      source: ["const a = 1;\n", "await show(f);"],
      outputs: [
        { output_type: "stream", name: "stdout", text: ["one\n", "two\n"] },
        {
          output_type: "display_data",
          data: {
            "application/vnd.plotly.v1+json": { data: [{ y: [0, y] }], layout: {} },
            "image/png": "iVBORw0KGgo".repeat(1000),
            "text/plain": ["Figure 1: a line"],
          },
        },
      ],
    },
    { cell_type: "code", metadata: {}, source: "a", outputs: [] },
  ],
  metadata: { porous_sgm: { preset: "lesson", fingerprint: "0123456789abcdef" } },
});

test("a notebook becomes Markdown with a line for each output", () => {
  const lines = [
    "<!-- executed with lesson, 01234567 -->",
    "",
    "# Title",
    "",
    "Words.",
    "",
    "```ts figure-1",
    "const a = 1;",
    "await show(f);",
    "```",
    "> one ... (2 lines)",
    "> [figure 1a2b3c4d] Figure 1: a line",
    "",
    "```ts",
    "a",
    "```",
    "",
  ];
  const text = notebookText(notebook(1, "Words."));
  assert.equal(text.replace(/(?<=figure )[0-9a-f]{8}(?=\])/, "1a2b3c4d"), lines.join("\n"));
});

test("git diff with the attributes and the documented setting shows what changed, in words", () => {
  const environment = fs.readFileSync(path.join(root, "environment.md"), "utf8");
  const [, script] = /git config diff\.notebook\.textconv "node ([^"]+)"/.exec(environment)!;
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
      cwd: scratch,
      encoding: "utf8",
      ...deadline(600),
    });
  const file = path.join(scratch, "a.ipynb");
  git("init", "-q");
  git("config", "diff.notebook.textconv", `node "${path.join(root, script)}"`);
  fs.copyFileSync(path.join(root, ".gitattributes"), path.join(scratch, ".gitattributes"));
  fs.writeFileSync(file, JSON.stringify(notebook(1, "Words."), undefined, 1));
  git("add", ".");
  git("commit", "-q", "-m", "one");
  fs.writeFileSync(file, JSON.stringify(notebook(2, "Other words."), undefined, 1));
  const changed = git("diff")
    .split("\n")
    .filter((line) => /^[-+](?![-+])/.test(line));
  assert.deepEqual(
    changed.map((line) => line.replace(/figure [0-9a-f]{8}/, "figure")),
    ["-Words.", "+Other words.", "-> [figure] Figure 1: a line", "+> [figure] Figure 1: a line"],
  );
});
