// First code of a worker thread: lets it load TypeScript, then runs the module that it was started for.
const path = require("node:path");
const { workerData } = require("node:worker_threads");

require("ts-node").register({ transpileOnly: true, project: path.join(__dirname, "..", "tsconfig.json") });
require(workerData.module);
