/** Exercises of notebook 7. */
import { InputError } from "../../../lib/backend/errors";
import { blogNetworkOptions, filmNetwork } from "../../../lib/filmCnn";
import { FiLM } from "../../../lib/backend/filmLayers";
import { influenceOfFirstCell } from "../../../lib/evaluation/receptiveField";
import { Random } from "../../../lib/random";
import { tf } from "../../../lib/backend/tensors";
import { type Exercise, numberFault } from "../../../lib/notebook/check";

const shape = { cells: 100, fields: 2, conditions: 3 };

/** FiLM of one channel: h (cells), its gamma and beta; returns (cells). */
export type FilmAnswer = (h: Float64Array, gamma: number, beta: number) => ArrayLike<number>;

/** 7.1: write FiLM. Compared with the layer of the network on random numbers. */
export const modulation: Exercise<FilmAnswer> = {
  number: "7.1",
  fault(answer) {
    const random = new Random(71);
    const h = random.fillNormal(new Float64Array(8));
    const [gamma, beta] = [0.5 + random.uniform(), 0.5 + random.uniform()];
    const expected = tf.tidy(() =>
      (
        new FiLM().apply([
          tf.tensor3d(Float32Array.from(h), [1, 8, 1]),
          tf.tensor2d([[gamma, beta]]),
        ]) as tf.Tensor
      ).dataSync(),
    );
    const given = answer(h.slice(), gamma, beta);
    if (given === undefined || given === null || given.length !== 8) {
      return `The answer has ${given?.length ?? "no"} numbers; return one for each cell of h.`;
    }
    const fits = (value: (h: number) => number) =>
      h.every((x, i) => Math.abs(given[i] - value(x)) <= 1e-5 * (1 + Math.abs(value(x)))); // single precision
    if (h.every((_, i) => Math.abs(given[i] - expected[i]) <= 1e-5 * (1 + Math.abs(expected[i]))))
      return undefined;
    if (fits((x) => gamma * x + beta))
      return "The gain is γ itself: with a modulation of zero nothing would be left of h.";
    if (fits((x) => (1 + gamma) * (x + beta))) return "β is added before the gain, which scales it, too.";
    if (fits((x) => (1 + gamma) * x)) return "The shift β is missing.";
    return "The values differ from those of the network's layer: h ↦ (1 + γ) h + β.";
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
