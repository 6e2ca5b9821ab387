/** Exercises of notebook 2. */
import { potentialError } from "./manufactured";
import { ELECTRODE } from "../../../lib/electrode";
import { concentrationAt, decayTime } from "../../../lib/evaluation/transient";
import { type Exercise, numberFault } from "../../../lib/notebook/check";

/** Order of convergence from the errors of the potential on 30 and on 90 cells. */
export const orderOfConvergence: Exercise<number> = {
  number: "2.1",
  fault(answer) {
    const ratio = potentialError(30) / potentialError(90);
    return numberFault(answer, Math.log(ratio) / Math.log(3), 0.02, [
      [ratio, "That is the ratio of the errors; the order is the power of 3 that it is."],
      [Math.log2(ratio), "That is the power of 2; the cells are three times as many, not twice."],
      [Math.log(ratio), "That is the logarithm of the ratio; divide it by the logarithm of 3."],
      [1 / 2, "That is its inverse."],
    ]);
  },
};

/** Conductance in S/m2 between the centres of two cells: conductivities in S/m, widths in m. */
export type LinkConductance = (k1: number, width1: number, k2: number, width2: number) => number;

/** The link between two cells of different widths. */
export const unequalCells: Exercise<LinkConductance> = {
  number: "2.2",
  fault(answer) {
    const cases: Parameters<LinkConductance>[] = [
      [1, 1, 1, 1],
      [0.35, 1e-6, 0.09, 1e-6],
      [0.35, 1e-6, 0.09, 3e-6],
      [0.1, 4e-6, 0.3, 0.5e-6],
    ];
    // The sentence of the first mistake that explains the answer in all cases.
    const series: LinkConductance = (k1, w1, k2, w2) => 1 / (w1 / (2 * k1) + w2 / (2 * k2));
    const mistakes: [LinkConductance, string][] = [
      [
        (k1, w1, k2, w2) => 1 / series(k1, w1, k2, w2),
        "That is the resistance of the two half cells; its inverse is asked.",
      ],
      [
        (k1, w1, k2, w2) => series(k1, w1, k2, w2) / 2,
        "That is the conductance of two whole cells; from centre to centre there are two halves.",
      ],
      [
        (k1, w1, k2, w2) => (2 * k1 * k2) / (k1 + k2) / ((w1 + w2) / 2),
        "The harmonic mean gives both cells the same weight; the wider one has more of the resistance.",
      ],
      [
        (k1, w1, k2, w2) => (k1 + k2) / (w1 + w2),
        "That averages conductivities; the half cells are in series, so their resistances add.",
      ],
      [
        (k1, w1, k2, w2) => (2 * k1) / w1 + (2 * k2) / w2,
        "That adds conductances, as of half cells side by side; they are in series.",
      ],
    ];
    const agrees = (other: LinkConductance) =>
      cases.every((c) => {
        const expected = other(...c);
        return Math.abs(answer(...c) - expected) <= 1e-9 * Math.abs(expected);
      });
    if (agrees(series)) return undefined;
    const mistake = mistakes.find(([other]) => agrees(other));
    if (mistake) return mistake[1];
    const [wrong] = cases.filter((c) => !(Math.abs(answer(...c) / series(...c) - 1) < 1e-9));
    return `For (${wrong.join(", ")}) it gives ${answer(...wrong)}, not ${series(...wrong).toPrecision(6)}.`;
  },
};

/** Time in s after which c(0) is within 1 % of its steady change; porosity 0.35, U0 = 0, F_right = 25 A/m2. */
export const secondsToSteady: Exercise<number> = {
  number: "2.3",
  fault(answer) {
    const porosity = new Float64Array(ELECTRODE.cells).fill(0.35);
    const rise = (seconds: number) =>
      concentrationAt(seconds, porosity, { equilibriumPotential: 0, flux: 25 })[0] -
      ELECTRODE.rightConcentration;
    const steady = rise(Infinity);
    let [low, high] = [1, 1e4];
    for (let k = 0; k < 40; k++) {
      const middle = (low + high) / 2;
      if (Math.abs(rise(middle) / steady - 1) > 0.01) low = middle;
      else high = middle;
    }
    const decay = decayTime(porosity);
    return numberFault(answer, high, 0.03, [
      [decay, "That is the decay time, after which 37 % of the way is left; asked is 1 %."],
      [
        ELECTRODE.timeStep * ELECTRODE.timeSteps,
        "That is the time of the data set, when c is far from steady.",
      ],
      [decay * Math.LN2, "After that time half of the way is left; asked is 1 %."],
      [2 * decay, "After twice the decay time 14 % are left; asked is 1 %."],
    ]);
  },
};
