import assert from "node:assert/strict";
import { test } from "node:test";
import { tf } from "../lib/backend/native";
import { colour } from "../lib/figures/figure";
import { indexedPng } from "../lib/figures/indexedPng";
import { Random } from "../lib/random";

const [WIDTH, HEIGHT] = [60, 41];
type Rgb = readonly [number, number, number];

/** A PNG as libpng, inside TensorFlow, writes it. */
async function written(colourAt: (x: number, y: number) => Rgb, alpha = true): Promise<Buffer> {
  const channels = alpha ? 4 : 3;
  const bytes = Array.from({ length: WIDTH * HEIGHT }, (_, i) => {
    const rgb = colourAt(i % WIDTH, Math.floor(i / WIDTH));
    return alpha ? [...rgb, 255] : rgb;
  });
  const pixels = tf.tensor3d(bytes.flat(), [HEIGHT, WIDTH, channels], "int32");
  return Buffer.from(await tf.node.encodePng(pixels));
}

/** Red, green and blue of each pixel, as libpng reads them. */
function read(png: Buffer): Int32Array {
  const pixels = tf.node.decodePng(png, 3);
  assert.deepEqual(pixels.shape, [HEIGHT, WIDTH, 3]);
  return pixels.dataSync() as Int32Array;
}

test("a picture of up to 128 colours keeps every one", async () => {
  const random = new Random(1);
  const shades = Array.from({ length: 128 }, (): Rgb => {
    const [r, g, b] = [0, 1, 2].map(() => Math.floor(256 * random.uniform()));
    return [r, g, b];
  });
  // Noise, slopes and flat areas: libpng has a filter for each.
  const pictures: ((x: number, y: number) => Rgb)[] = [
    () => shades[Math.floor(128 * random.uniform())],
    (x) => [4 * x, 0, 4 * x],
    (x, y) => [(3 * x + 5 * y) % 128, (3 * x + 5 * y) % 128, 7],
    (x, y) => [Math.floor((x * y) / 20), Math.floor((x * y) / 20), 7],
    (x) => (x < 20 ? [255, 255, 255] : [0, 114, 178]),
  ];
  for (const picture of pictures) {
    for (const alpha of [true, false]) {
      const png = await written(picture, alpha);
      assert.deepEqual(read(indexedPng(png)), read(png));
    }
  }
});

test("of more colours, flat areas and lines keep theirs, and no shade between them moves far", async () => {
  const blue = [1, 3, 5].map((at) => parseInt(colour.pde.slice(at, at + 2), 16));
  // White with a blue line, and 2400 shades of two channels.
  const png = await written((x, y) =>
    y === 0 ? [blue[0], blue[1], blue[2]] : x < 20 ? [255, 255, 255] : [4 * x, 6 * y, 128],
  );
  const [before, after] = [read(png), read(indexedPng(png))];
  const distances = Array.from({ length: WIDTH * HEIGHT }, (_, i) =>
    Math.hypot(...[0, 1, 2].map((k) => before[3 * i + k] - after[3 * i + k])),
  );
  const plain = distances.filter((_, i) => i < WIDTH || i % WIDTH < 20);
  assert.equal(Math.max(...plain), 0);
  assert.ok(Math.max(...distances) < 15, `${Math.max(...distances)} of 255`);
  assert.ok(new Set(distances).size > 1); // there was something to round
});

test("a picture of another kind is an error that says so", async () => {
  const png = await written(() => [0, 0, 0]);
  assert.throws(() => indexedPng(indexedPng(png)), /8,3,0,0,0: only 8 bits of RGB or RGBA/);
});
