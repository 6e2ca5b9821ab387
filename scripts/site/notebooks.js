"use strict";
// The notebooks as JupyterLite's JavaScript kernel runs them: types are taken out, everything else of a cell stays as it is.

const fs = require("fs");
const path = require("path");
const tsBlankSpace = require("ts-blank-space").default;
const { root, notebooksOf } = require("../environment");

const kernelspec = {
  display_name: "JavaScript (Web Worker)",
  language: "javascript",
  name: "javascript-worker",
};
const IMPORT = /^(import\s[^;]*?from\s+|import\s+)"([^"]+)";/gm;

/** A cell's TypeScript without its types: blanks that they leave go, and so do lines of which nothing is left. */
function withoutTypes(source) {
  const blanked = tsBlankSpace(source, (node) => {
    throw new Error(
      `This is no type that can be taken out: ${node.name?.text ?? source.slice(node.pos, node.end)}`,
    );
  });
  let text = "";
  for (let i = 0; i < source.length;) {
    let end = i;
    let taken = false;
    for (; end < source.length && blanked[end] === " "; end++) taken ||= source[end] !== " ";
    if (taken) {
      text += /\s/.test(source[end - 1]) && !text.endsWith("\n") ? " " : "";
      i = end;
    } else text += blanked[i++];
  }
  const before = source.split("\n");
  const lines = text.split("\n").map((line) => (line.trim() === "" ? "" : line));
  return lines.filter((line, i) => !/^\s*;?$/.test(line) || before[i].trim() === line).join("\n");
}

/** The cell, and the modules that it imports, under names that begin with a folder of the project. */
function converted(source) {
  const modules = new Set();
  const code = withoutTypes(source).replace(IMPORT, (_, before, name) => {
    const module = name.replace(/^\.\//, "");
    modules.add(module);
    return `${before}"./${module}.js";`;
  });
  return { code, modules };
}

/** Of links to files of the project, which are not in the site, only the text stays; those to notebooks get another ending. */
function relinked(source, ending) {
  return source.replace(
    /(?<!!)\[([^\]]*)\]\((?!https?:|#)([^)#\s]*)(#[^)\s]*)?\)/g,
    (whole, text, target, anchor = "") => {
      const notebook = /^(?:\.\/)?(?:notebooks\/)?(\d[\w-]*)\.ipynb$/.exec(target);
      return notebook ? `[${text}](${notebook[1]}${ending}${anchor})` : text;
    },
  );
}

const read = (file) => {
  const notebook = JSON.parse(fs.readFileSync(path.join(root, file), "utf8"));
  for (const cell of notebook.cells) cell.source = [cell.source].flat().join("");
  return notebook;
};
const write = (folder, file, notebook) => {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, path.basename(file)), JSON.stringify(notebook, null, 1));
};
const titleOf = ({ cells }) => /^# +(.+)/.exec(cells[0].source)?.[1] ?? "";

/** Writes the notebooks of the course as JupyterLite runs them into a folder; returns the modules that they import. */
function labNotebooks(folder) {
  const modules = new Set();
  for (const file of notebooksOf("notebooks")) {
    const notebook = read(file);
    for (const cell of notebook.cells) {
      if (cell.cell_type === "markdown") cell.source = relinked(cell.source, ".ipynb");
      if (cell.cell_type !== "code") continue;
      const found = converted(cell.source);
      for (const name of found.modules) modules.add(name);
      Object.assign(cell, { source: found.code, outputs: [], execution_count: null });
    }
    notebook.metadata = { kernelspec, language_info: { name: "javascript" } };
    write(folder, file, notebook);
  }
  return [...modules].sort();
}

/** Writes the executed notebooks, made ready for nbconvert, into a folder; returns their names. */
function pageNotebooks(folder) {
  const files = notebooksOf("notebooks");
  const notebooks = files.map(read);
  const pages = notebooks.map((notebook, i) => ({
    file: path.basename(files[i]).replace(".ipynb", ".html"),
    title: titleOf(notebook),
    lab: `../lab/lab/index.html?path=notebooks/${path.basename(files[i])}`,
  }));
  notebooks.forEach((notebook, i) => {
    for (const cell of notebook.cells) {
      if (cell.cell_type === "markdown") cell.source = relinked(cell.source, ".html");
      for (const { data, metadata } of cell.outputs ?? [])
        if (data?.["image/png"])
          metadata["image/png"] = { alt: [data["text/plain"] ?? "figure"].flat().join("") };
    }
    const [previous, next] = [pages[i - 1], pages[i + 1]];
    notebook.metadata.page = { ...pages[i], previous, next };
    write(folder, files[i], notebook);
  });
  return files.map((file) => path.join(folder, path.basename(file)));
}

module.exports = { labNotebooks, pageNotebooks, withoutTypes };
