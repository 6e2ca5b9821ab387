/** Exercises of notebook 17. */
import { type Exercise, numberFault } from "../../../lib/notebook/check";
import { published } from "./published";

/** 17.1: how much too narrow the published model's c is at mid-cell, beside the published solver's, in per cent. */
export const narrowing: Exercise<number> = {
  number: "17.1",
  fault(answer) {
    const { pde, sgm } = published();
    const ratio = sgm.c.std[50] / pde.c.std[50];
    return numberFault(answer, 100 * (1 - ratio), 0.03, [
      [1 - ratio, "That is the share; asked is per cent."],
      [100 * ratio, "That is the ratio in per cent; asked is what is missing to 100."],
      [100 * (1 / ratio - 1), "That is measured in the model's standard deviation; divide by the solver's."],
      [100 * (1 - ratio ** 2), "That compares variances; asked are standard deviations."],
      [100 * (1 - sgm.phi.std[50] / pde.phi.std[50]), "That is the potential; asked is the concentration."],
    ]);
  },
};

/** 17.2: in how many standard errors of the ratio of two standard deviations, of so many rows each, that is. */
export const narrowingInErrors: Exercise<number> = {
  number: "17.2",
  fault(answer) {
    const { pde, sgm, rows } = published();
    const gap = 1 - sgm.c.std[50] / pde.c.std[50];
    return numberFault(answer, gap * Math.sqrt(rows), 0.05, [
      [gap * Math.sqrt(2 * rows), "That is the error of one standard deviation; both of the ratio have one."],
      [gap * rows, "The error falls with the root of the rows."],
      [gap / Math.sqrt(rows), "Divide by the standard error 1/√n: that is, multiply by √n."],
      [100 * gap * Math.sqrt(rows), "The gap was taken in per cent; take it as a share."],
    ]);
  },
};
