"use strict";
// danfojs-node asks for @tensorflow/tfjs-node. A second copy of the native package would load a
// second TensorFlow, with its own tensors, so it is given the one that the project uses.
module.exports = require("@tensorflow/tfjs-node-gpu");
