"use strict";
// tslab 1.0.22 outlives the program that has started it where that one cannot say goodbye. Here the kernel ends with it, which
// Jupyter names in JPY_PARENT_PID, whatever a cell does at that moment: another thread looks every second.

const { Worker } = require("worker_threads");

const watch = `setInterval(() => {
  try {
    process.kill(Number(process.env.JPY_PARENT_PID), 0);
  } catch {
    process.kill(process.pid, "SIGKILL");
  }
}, 1000);`;

module.exports = function mendParent() {
  if (process.env.JPY_PARENT_PID) new Worker(watch, { eval: true }).unref();
};
