"use strict";
// The one place where native TensorFlow is loaded. danfojs-node asks for @tensorflow/tfjs-node; a second copy of the
// native package would be a second TensorFlow with tensors of its own, so it is given the one that the project uses.

const { availableParallelism } = require("os");
const util = require("util");

// TensorFlow reads its environment when its library is loaded. The launchers set it too; this serves whoever comes in
// another way.
process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
process.env.TF_NUM_INTRAOP_THREADS ??= String(availableParallelism());
process.env.TF_NUM_INTEROP_THREADS ??= "1";

// tfjs-node-gpu 4.22 calls helpers of node:util that Node 22 warns about and Node 23 removed.
util.isNullOrUndefined = (value) => value === null || value === undefined;
util.isArray = Array.isArray;

// TensorFlow prints a line about itself while it is loaded, before its log level counts: see scripts/quiet.cc.
const standardError = require("@tensorflow/tfjs-node-gpu/lib/napi-v8/quiet.node");
if (Number(process.env.TF_CPP_MIN_LOG_LEVEL) > 0) standardError.off();
try {
  module.exports = require("@tensorflow/tfjs-node-gpu");
} finally {
  standardError.on();
}
