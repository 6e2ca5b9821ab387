"use strict";
// The parts of the site: lab/ (the course in JupyterLite), read/ (its executed notebooks as plain pages), and the first page.

const { spawnSync } = require("child_process");
const crypto = require("crypto");
const fs = require("fs");
const path = require("path");
const { root, python, installationEnvironment } = require("../environment");
const { deadline } = require("../processes");
const { bundle } = require("./bundle");
const { buildExplorer } = require("./explorer/build");
const { labNotebooks, pageNotebooks } = require("./notebooks");

class SiteError extends Error {}

const made = path.join(root, "build", "site-tools"); // beside the site: what it is made with
const venv = path.join(made, "venv");
const bin = (name) => path.join(venv, "bin", name);
const KERNEL = path.join("extensions", "@jupyterlite", "javascript-kernel-extension", "static");
const MARK = "porous-sgm.site"; // an empty file: this folder may be replaced
const LARGEST = 45e6; // bytes

const within = (name) => path.join(__dirname, name);
const remove = (name) => fs.rmSync(name, { recursive: true, force: true });

function run(what, command, args, options = {}) {
  const all = { cwd: root, encoding: "utf8", maxBuffer: 2 ** 28, ...options };
  const { status, stdout, stderr, error } = spawnSync(command, args, { ...all, ...deadline(1200) });
  if (status === 0) return;
  const words = error?.message ?? `${stdout}${stderr}`.trim().split("\n").slice(-8).join("\n");
  throw new SiteError(`${what} failed; mend what it says, then run npm run site again:\n${words}`);
}

/** JupyterLite in a Python environment of its own, made once for each list of packages. */
function tools() {
  const list = path.join(root, "requirements", "site.txt");
  const digest = crypto.createHash("sha256").update(fs.readFileSync(list)).digest("hex");
  const stamp = path.join(made, "stamp");
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === digest) return;
  console.log("site: JupyterLite (170 MB; a minute) ...");
  remove(made);
  fs.mkdirSync(made, { recursive: true });
  const env = installationEnvironment(path.join(root, ".cache"));
  fs.mkdirSync(env.TMPDIR, { recursive: true });
  run("The Python environment", python, ["-m", "venv", venv], { env });
  const options = ["--require-hashes", "--no-deps", "--only-binary=:all:"];
  run(
    "The installation of requirements/site.txt",
    bin("python"),
    ["-m", "pip", "install", ...options, "-r", list],
    { env },
  );
  fs.writeFileSync(stamp, digest);
}

/** The course in JupyterLite. */
async function writeLab(folder, budget) {
  console.log("site: JupyterLite and the notebooks ...");
  const work = path.join(made, "lite");
  remove(work);
  const modules = labNotebooks(path.join(work, "content", "notebooks"));
  fs.copyFileSync(within("jupyter-lite.json"), path.join(work, "jupyter-lite.json"));
  const extensions = path.join(venv, "share", "jupyter", "labextensions");
  const own = [path.join(root, "scripts", "lab", "porous-sgm-figures"), within("porous-sgm-kernel")];
  for (const extension of own)
    fs.cpSync(extension, path.join(extensions, path.basename(extension)), { recursive: true });
  const options = ["--contents", "content", "--output-dir", folder, "--apps", "lab"];
  const without = ["--no-sourcemaps", "--no-unused-shared-packages"];
  const env = {
    ...process.env,
    PATH: `${path.dirname(bin("python"))}${path.delimiter}${process.env.PATH}`,
    JUPYTER_PREFER_ENV_PATH: "1",
  };
  run("JupyterLite", bin("jupyter-lite"), ["build", ...options, ...without], { cwd: work, env });
  for (const name of unused(path.join(folder, "build"))) fs.rmSync(name);
  await bundle(modules, path.join(folder, KERNEL), path.dirname(folder), budget);
}

/** Files of JupyterLite's for what the course does not have: fonts of old browsers, and what draws diagrams and terminals. */
function unused(folder) {
  const isUnused = (name) => {
    const file = path.join(folder, name);
    if (!name.endsWith(".js") || name.startsWith("jlab_core"))
      return /^fa-.*\.(eot|svg|ttf|woff)$/.test(name);
    const large = fs.statSync(file).size > 40e3; // smaller ones may be what would load them
    return large && /org\.eclipse\.elk|mermaid|cytoscape|\bvega\b|xterm/.test(fs.readFileSync(file, "utf8"));
  };
  const names = fs.readdirSync(folder).filter(isUnused);
  return names.map((name) => path.join(folder, name));
}

/** The executed notebooks as pages that need neither a kernel nor JavaScript but for their formulas. */
function writePages(folder) {
  console.log("site: the plain pages ...");
  const work = path.join(made, "pages");
  remove(work);
  const files = pageNotebooks(work);
  const priority = ["image/png", "text/html", "text/plain"].map((type) => `'${type}'`).join(", ");
  const options = [
    `--TemplateExporter.extra_template_basedirs=${__dirname}`,
    "--template=pages",
    "--to=html",
    "--ExtractOutputPreprocessor.enabled=True",
  ];
  const rest = [`--NbConvertBase.display_data_priority=[${priority}]`, `--output-dir=${folder}`];
  run("nbconvert", python, ["-m", "nbconvert", ...options, ...rest, ...files]);
  const style = spawnSync(python, ["-m", "pygments", "-S", "default", "-f", "html", "-a", ".highlight"], {
    encoding: "utf8",
    ...deadline(60),
  });
  fs.writeFileSync(
    path.join(folder, "style.css"),
    fs.readFileSync(within("pages/style.css"), "utf8") + style.stdout,
  );
  const katex = path.join(path.dirname(require.resolve("katex/package.json")), "dist");
  for (const name of ["katex.min.css", "katex.min.js", "contrib/auto-render.min.js", "fonts"])
    fs.cpSync(path.join(katex, name), path.join(folder, "katex", path.basename(name)), {
      recursive: true,
      filter: (file) => !/\.(ttf|woff)$/.test(file),
    });
}

/** Writes the site; what was built there before is replaced once the new one is complete. */
async function buildSite(folder, budget) {
  const mark = path.join(folder, MARK);
  if (fs.existsSync(folder) && fs.readdirSync(folder).length > 0 && !fs.existsSync(mark))
    throw new SiteError(
      `${folder} holds something else than an earlier site; name an empty or a new folder.`,
    );
  tools();
  const partial = path.join(made, "site");
  remove(partial);
  await writeFirstPage(partial);
  await writeLab(path.join(partial, "lab"), budget);
  writePages(path.join(partial, "read"));
  fs.writeFileSync(path.join(partial, MARK), "");
  const files = fs
    .readdirSync(partial, { recursive: true })
    .map((name) => fs.statSync(path.join(partial, name)));
  const bytes = files.filter((stat) => stat.isFile()).reduce((sum, { size }) => sum + size, 0);
  if (bytes > LARGEST)
    throw new SiteError(`The site has ${bytes} bytes, more than the ${LARGEST} that it may have: ship less.`);
  remove(folder);
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  fs.cpSync(partial, folder, { recursive: true });
  console.log(
    `${path.relative(process.cwd(), path.join(folder, "index.html"))} (${(bytes / 1e6).toFixed(1)} MB)`,
  );
}

async function writeFirstPage(folder) {
  const links = [
    { href: "lab/lab/index.html?path=notebooks/01-porosity.ipynb", text: "The course, to work with" },
    { href: "read/01-porosity.html", text: "The course, to read" },
  ];
  await buildExplorer(folder, { links });
}

module.exports = { SiteError, buildSite };
