"use strict";
// The sources that notebooks import, as modules for a browser beside the kernel's own script: cells import them by the same names.

const fs = require("fs");
const path = require("path");
const esbuild = require("esbuild");
const { root } = require("../environment");

const browser = path.join(__dirname, "browser");
const standIns = {
  fs: "files.ts",
  "tslab/dist/jupyter": "kernel.ts",
  "danfojs-node": "danfo.ts",
  "@tensorflow/tfjs": "tfjs.ts",
};
const OF_NODE = /^(node:)?(path|os|crypto|events|worker_threads|net|stream|child_process|process)$/;
/** Files of lib/ that are about other programs and threads, and what stands for them. */
const replaced = { "lib/figures/png.ts": "png.ts", "lib/storage/solvingThread.ts": "solvingThread.ts" };

const plugin = {
  name: "browser",
  setup({ onResolve }) {
    onResolve({ filter: /.*/ }, ({ path: name, resolveDir, kind }) => {
      const own = standIns[name.replace(/^node:/, "")] ?? (OF_NODE.test(name) ? "node.ts" : undefined);
      if (own) return { path: path.join(browser, own) };
      if (kind === "entry-point" || !name.startsWith(".")) return undefined;
      const file = path.relative(root, `${path.resolve(resolveDir, name)}.ts`);
      return replaced[file] ? { path: path.join(browser, replaced[file]) } : undefined;
    });
  },
};

/** Files that the notebooks read; the model of the other convention, "text", is as large again, and nothing opens it by itself. */
const shipped = ["data/models/blog", "data/models/figures", "data/results"].flatMap((name) =>
  fs
    .readdirSync(path.join(root, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".md"))
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name))),
);

/** Writes the modules of these names (such as lib/random), and the files that they read, into a folder. */
exports.bundle = async function bundle(names, folder, budget) {
  const isOurs = (name) => /^(lib|notebooks)\//.test(name);
  const entryPoints = names.map((name) => ({
    in: isOurs(name) ? path.join(root, `${name}.ts`) : name,
    out: name,
  }));
  await esbuild.build({
    absWorkingDir: root,
    entryPoints,
    outdir: folder,
    chunkNames: "chunks/[hash]",
    bundle: true,
    splitting: true,
    minify: true,
    keepNames: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    legalComments: "none",
    logLevel: "error",
    inject: [path.join(browser, "globals.ts")],
    define: {
      BUDGET: JSON.stringify(budget),
      SHIPPED: JSON.stringify(shipped),
      __dirname: '"/"', // ".." of it is itself: the root of the files that files.ts knows
      __filename: '"/"',
      "globalThis.process": "process", // not what a notebook calls so
      "require.resolve": "resolveModule",
      "require.cache": "loadedModules",
    },
    plugins: [plugin],
  });
  for (const name of shipped) fs.cpSync(path.join(root, name), path.join(folder, name));
  const wasm = path.join(path.dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json")), "dist");
  for (const name of fs.readdirSync(wasm).filter((file) => /^tfjs-backend-wasm(-simd)?\.wasm$/.test(file)))
    fs.copyFileSync(path.join(wasm, name), path.join(folder, "chunks", name));
};
