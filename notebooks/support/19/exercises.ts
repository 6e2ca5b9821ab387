import { type Exercise, numberFault } from "../../../lib/notebook/check";
import { Random } from "../../../lib/random";

type Mean = (x: number, f: number, sigma: number) => number;

/** 19.1: the mean of the head in a column of log-normal conductivity. */
export const meanHead: Exercise<Mean> = {
  number: "19.1",
  fault(answer) {
    for (const [x, f, sigma] of [
      [0, 1, 0],
      [0.3, 2, 0.5],
      [0.8, 0.5, 1],
    ]) {
      const even = (f * (1 - x ** 2)) / 2;
      const fault = numberFault(answer(x, f, sigma), even * Math.exp(sigma ** 2 / 2), 1e-9, [
        [even, "that is the head in even sand, k = 1: e^(-σg) is not 1 on average."],
        [even * Math.exp(-(sigma ** 2) / 2), "the mean of 1/k is not one over the mean of k: it is larger."],
        [even * Math.exp(sigma ** 2), "that has twice the exponent: E e^(σg) = e^(σ²/2)."],
        [f * (1 - x ** 2) * Math.exp(sigma ** 2 / 2), "the integral of s from x to 1 is (1 - x²) / 2."],
        [((f * (1 - x) ** 2) / 2) * Math.exp(sigma ** 2 / 2), "integrate s from x to 1, not 1 - s."],
      ]);
      if (fault) return `For x = ${x}, f = ${f}, σ = ${sigma}: ${fault}`;
    }
    return undefined;
  },
};

type Split = (labels: string[], share: number) => boolean[];

/** 19.2: rows to hold out by whole experiments. */
export const heldOutExperiments: Exercise<Split> = {
  number: "19.2",
  fault(answer) {
    const random = new Random(192);
    for (const [experiments, share] of [
      [40, 0.2],
      [10, 0.3],
      [25, 0.5],
    ]) {
      const labels = Array.from({ length: 200 }, () => `e${Math.floor(experiments * random.uniform())}`);
      const held = answer([...labels], share);
      if (held?.length !== labels.length)
        return `There are ${labels.length} rows, and ${held?.length ?? "no"} answers.`;
      if (!held.every((value) => typeof value === "boolean")) return "Return true or false for each row.";
      const torn = labels.find((label, row) => held[labels.indexOf(label)] !== held[row]);
      if (torn !== undefined)
        return `Experiment ${torn} is torn apart: some of its rows are held out and some are not.`;
      const count = held.filter(Boolean).length;
      if (count === 0) return "No row is held out.";
      if (count === labels.length) return "All rows are held out: nothing is left to train on.";
      const allowed = 200 / experiments + 10; // an experiment more or less, some of which are large
      if (Math.abs(count - share * labels.length) > 2 * allowed) {
        return `${count} of ${labels.length} rows are held out, and ${share * labels.length} are asked for.`;
      }
    }
    return undefined;
  },
};
