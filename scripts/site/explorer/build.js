"use strict";
// The explorer as a folder of static files: node scripts/site/explorer/build.js FOLDER, or buildExplorer(FOLDER).

const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const { root } = require("../../environment");

const here = (...names) => path.join(__dirname, ...names);
const modelFolder = path.join(root, "data", "models", "figures");
/** Of the model as saved; modes take the place of its covariance. */
const MODEL_FILES = ["model.json", "network.json", "network.bin"];
/** Without threads, which most static hosts do not allow. */
const WASM_FILES = ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm"];

/**
 * Writes the page into a folder. links: where its header leads, as { href, text } from the folder on; HTML in neither.
 */
async function buildExplorer(folder, { links = [] } = {}) {
  fs.mkdirSync(folder, { recursive: true });
  const modes = await precomputed();
  for (const name of fs.readdirSync(modes)) fs.copyFileSync(path.join(modes, name), path.join(folder, name));
  for (const name of MODEL_FILES) fs.copyFileSync(path.join(modelFolder, name), path.join(folder, name));
  const wasm = path.join(root, "node_modules", "@tensorflow", "tfjs-backend-wasm", "dist");
  for (const name of WASM_FILES) fs.copyFileSync(path.join(wasm, name), path.join(folder, name));
  fs.copyFileSync(here("style.css"), path.join(folder, "style.css"));
  const list = links.map(({ href, text }) => `<a href="${href}">${text}</a>`).join("\n");
  const page = fs.readFileSync(here("index.html"), "utf8").replace("<!-- links -->", list);
  fs.writeFileSync(path.join(folder, "index.html"), page);
  await require("esbuild").build({
    absWorkingDir: root,
    entryPoints: [here("page.ts"), here("worker.ts")],
    outdir: folder,
    bundle: true,
    minify: true,
    legalComments: "linked",
    platform: "browser",
    format: "iife",
    target: "es2022",
    alias: { "@tensorflow/tfjs": here("tfjs.ts") },
    logLevel: "warning",
  });
}

/** The folder of what precompute.ts makes, which takes half a minute: kept until the model or the code behind it changes. */
async function precomputed() {
  const options = { absWorkingDir: root, bundle: true, write: false, platform: "node", packages: "external" };
  const entryPoints = [here("precompute.ts")];
  const { metafile } = await require("esbuild").build({ ...options, entryPoints, metafile: true });
  const models = fs.readdirSync(modelFolder).map((name) => path.join(modelFolder, name));
  const digest = crypto.createHash("sha256");
  for (const name of [...Object.keys(metafile.inputs), ...models].sort())
    digest.update(fs.readFileSync(path.resolve(root, name)));
  const folder = path.join(root, "build", "explorer-cache", digest.digest("hex").slice(0, 16));
  if (fs.existsSync(folder)) return folder;
  console.log("explorer: modes and biases of all correlation lengths (half a minute) ...");
  fs.rmSync(path.dirname(folder), { recursive: true, force: true });
  require("../../typescript.js");
  const partial = `${folder}.${process.pid}.partial`;
  await require("./precompute.ts").precompute(modelFolder, partial);
  fs.renameSync(partial, folder);
  return folder;
}

if (require.main === module) {
  const { setupOrExit } = require("../../setup");
  const [folder] = process.argv.slice(2);
  if (folder) setupOrExit().then(() => buildExplorer(path.resolve(folder)));
  else {
    console.error("Give the folder to write: node scripts/site/explorer/build.js build/explorer");
    process.exitCode = 2;
  }
}

module.exports = { buildExplorer };
