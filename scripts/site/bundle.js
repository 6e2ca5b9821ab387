"use strict";
// The sources that notebooks import, as modules for a browser beside the kernel's own script: cells import them by the same names.

const fs = require("fs");
const { isBuiltin } = require("module");
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
/** Files of lib/ that are about other programs and threads, and what stands for them. */
const replaced = { "lib/figures/png.ts": "png.ts", "lib/storage/solvingThread.ts": "solvingThread.ts" };

const plugin = {
  name: "browser",
  setup({ onResolve }) {
    onResolve({ filter: /.*/ }, ({ path: name, resolveDir, kind }) => {
      const own = standIns[name.replace(/^node:/, "")] ?? (isBuiltin(name) ? "node.ts" : undefined);
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
    .filter((entry) => entry.isFile() && !/\.md$|^gallery-/.test(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name))),
);

/**
 * Writes the modules of these names (such as lib/random), and the files that they read, into a folder of the site. The explorer's
 * files, WebAssembly among them, are at its root: those of the same content are read there.
 */
exports.bundle = async function bundle(names, folder, site, budget) {
  const chunks = path.join(folder, "chunks"); // where the code is that asks for files
  const placeOf = (name) => {
    const [file, twin] = [path.join(root, name), path.join(site, path.basename(name))];
    const same = fs.existsSync(twin) && fs.readFileSync(twin).equals(fs.readFileSync(file));
    if (!same) fs.cpSync(file, path.join(folder, name));
    return path.relative(chunks, same ? twin : path.join(folder, name));
  };
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
    legalComments: "linked",
    logLevel: "error",
    inject: [path.join(browser, "globals.ts")],
    define: {
      BUDGET: JSON.stringify(budget),
      SHIPPED: JSON.stringify(Object.fromEntries(shipped.map((name) => [name, placeOf(name)]))),
      SITE: JSON.stringify(`${path.relative(chunks, site)}/`),
      __dirname: '"/"', // ".." of it is itself: the root of the files that files.ts knows
      __filename: '"/"',
      "globalThis.process": "process", // not what a notebook calls so
      "require.resolve": "resolveModule",
      "require.cache": "loadedModules",
    },
    plugins: [plugin],
  });
};
