"use strict";
// One matrix product on the native backend, checked: set-up's proof that TensorFlow works here.
require("./typescript.js");
const { tf, describeBackend } = require("../lib/backend/tensors");

const product = tf
  .matMul(
    tf.tensor2d([
      [1, 2],
      [3, 4],
    ]),
    tf.tensor2d([
      [5, 6],
      [7, 8],
    ]),
  )
  .dataSync();
if (String(Array.from(product)) !== "19,22,43,50") throw new Error(`A 2 x 2 matrix product gave ${product}.`);
console.log(`${describeBackend()} computes.`);
