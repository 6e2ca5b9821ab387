// First code of a worker thread: lets it load TypeScript, then runs the module that it was started for.
require("./typescript.js");
require(require("node:worker_threads").workerData.module);
