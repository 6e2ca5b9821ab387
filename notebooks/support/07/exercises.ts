/** Exercises of notebook 7. */
import { InputError } from "../../../lib/backend/errors";
import { blogNetworkOptions, filmNetwork } from "../../../lib/filmCnn";
import { FiLM } from "../../../lib/backend/filmLayers";
import { influenceOfFirstCell } from "../../../lib/evaluation/receptiveField";
import { Random } from "../../../lib/random";
import { tf } from "../../../lib/backend/tensors";
import { type Exercise, listFault, numberFault } from "../../../lib/notebook/check";

const shape = { cells: 100, fields: 2, conditions: 3 };

/** FiLM of features h (cells, channels) by gamma and beta (channels each): returns (cells, channels). */
export type FilmAnswer = (h: number[][], gamma: number[], beta: number[]) => number[][];

/** 7.1: write the FiLM layer. Compared with the layer of the network on random numbers. */
export const modulation: Exercise<FilmAnswer> = {
  number: "7.1",
  fault(answer) {
    const size = 5; // as many cells as channels, so that exchanged indices are found
    const random = new Random(71);
    const list = (of: () => number) => Array.from({ length: size }, of);
    const h = list(() => 0).map(() => list(() => random.normal()));
    const [gamma, beta] = [list(() => 0.5 + random.uniform()), list(() => 0.5 + random.uniform())];
    const expected = tf.tidy(() =>
      (new FiLM().apply([tf.tensor3d([h]), tf.tensor2d([[...gamma, ...beta]])]) as tf.Tensor).dataSync(),
    );
    const given = answer(
      h.map((row) => [...row]),
      [...gamma],
      [...beta],
    );
    if (!Array.isArray(given) || given.length !== size || !given.every((row) => row?.length === size))
      return `Return ${size} rows, one a cell, of ${size} numbers, one a channel, as in h.`;
    const each = (of: (value: number, g: number, b: number) => number, ofCell = false) =>
      h.flatMap((row, cell) => row.map((x, k) => of(x, gamma[ofCell ? cell : k], beta[ofCell ? cell : k])));
    const silu = (x: number) => x / (1 + Math.exp(-x));
    return listFault(given.flat(), expected, 1e-5, [
      [
        each((x, g, b) => g * x + b),
        "The gain is γ itself: with a modulation of zero nothing would be left of h.",
      ],
      [each((x, g, b) => (1 + g) * (x + b)), "The shift b is added before the gain, which scales it, too."],
      [each((x, g) => (1 + g) * x), "The shift b is missing."],
      [
        each((x, g, b) => (1 + g) * x + b, true),
        "There is one γ and one b a channel, the same for all cells; yours go by cells.",
      ],
      [
        each((x, g, b) => g * silu(x) + b),
        "That is the post's γ SiLU(h) + β, with β for b; the layer has the gain 1 + γ and leaves SiLU to what follows.",
      ],
      [each((x, g, b) => (1 + g) * silu(x) + b), "SiLU is not part of FiLM: it follows it."],
    ]);
  },
};

/** 7.2: parameters of the blog's network with five blocks. */
export const parametersOfFiveBlocks: Exercise<number> = {
  number: "7.2",
  fault(answer) {
    const count = (blocks: number) => {
      const network = filmNetwork(shape, { blocks });
      const parameters = network.countParams();
      network.dispose();
      return parameters;
    };
    const [five, ten] = [count(5), count(blogNetworkOptions.blocks)];
    return numberFault(answer, five, 0.5 / five, [
      [ten, "That is the network with ten blocks."],
      [
        ten / 2,
        "Half of all parameters: but the first and the last layers are there once, whatever the blocks.",
      ],
      [
        ten - five,
        "Those are the parameters of five blocks alone; the first and the last layers are missing.",
      ],
    ]);
  },
};

/** 7.3: the smallest dilation with which the blog's network sees from one end to the other. Measured. */
export const smallestDilation: Exercise<number> = {
  number: "7.3",
  fault(answer) {
    if (!Number.isInteger(answer) || answer < 1 || answer > 20)
      throw new InputError(`The dilation is ${answer}; give a whole number from 1 to 20.`);
    const reaches = (dilation: number) => {
      const network = filmNetwork(shape, { dilation, width: 8, filmWidth: 8 }); // the width does not matter
      const influence = influenceOfFirstCell(network, shape);
      network.dispose();
      return influence[shape.cells - 1] > 0;
    };
    if (!reaches(answer)) {
      return `With ${answer} the last cell does not notice the first: 20 layers of 3 × ${answer} cells reach ${60 * answer}.`;
    }
    return answer > 1 && reaches(answer - 1)
      ? `${answer} is enough, but not the smallest: ${answer - 1} is enough, too.`
      : undefined;
  },
};
