import { reverseForms, reverseVariances } from "../../../lib/evaluation/reverseForms";
import { type Exercise, numberFault } from "../../../lib/notebook/check";
import { porousElectrode } from "../../../lib/presets/electrodeProblem";
import { generateDataSet } from "../../../lib/presets/simulate";
import { vpSchedule } from "../../../lib/schedule";
import { reactionShare } from "./elimination";

/** Layers until a change in the first cell has come to the last, found by passing it on. */
function layersByPassingOn(cells: number, kernel: number): number {
  let layers = 0;
  for (let reached = 0; reached < cells - 1; layers++) reached += (kernel - 1) / 2;
  return layers;
}

/** 11.1: layers of a kernel until every cell reaches every other. */
export const layersToReach: Exercise<(cells: number, kernel: number) => number> = {
  number: "11.1",
  fault(answer) {
    for (const [cells, kernel] of [
      [100, 7],
      [100, 3],
      [64, 5],
      [10, 9],
    ]) {
      const asked = `for ${cells} cells and a kernel of ${kernel}`;
      const expected = layersByPassingOn(cells, kernel);
      const given = answer(cells, kernel);
      const fault = numberFault(given, expected, 1e-9, [
        [cells / kernel, "a kernel reaches to both sides: (kernel − 1) / 2 cells, not its whole width."],
        [
          Math.ceil(cells / kernel),
          "a kernel reaches to both sides: (kernel − 1) / 2 cells, not its whole width.",
        ],
        [
          Math.floor(cells / kernel),
          "a kernel reaches to both sides: (kernel − 1) / 2 cells, not its whole width.",
        ],
        [(2 * (cells - 1)) / (kernel - 1), "layers are whole: round up."],
        [
          Math.floor((2 * (cells - 1)) / (kernel - 1)),
          "round up: the last, incomplete stride takes a layer, too.",
        ],
        [
          Math.ceil((2 * cells) / (kernel - 1)),
          "from the first cell to the last there are cells − 1 strides of one cell.",
        ],
      ]);
      if (fault) return `Your function returns ${given} ${asked}: ${fault}`;
    }
    return undefined;
  },
};

/** 11.2: cells from which on the reaction's share of the diagonal is below float32's unit round-off. */
export const float32Cells: Exercise<number> = {
  number: "11.2",
  fault(answer) {
    const unit = 2 ** -24;
    const cells = (share: number) => Math.sqrt(reactionShare(0.35, 1) / share); // the share falls like 1 / cells^2
    return numberFault(answer, cells(unit), 0.01, [
      [
        cells(2 * unit),
        "The distance of neighbouring numbers is 2^-23; the unit round-off, half of it, is 2^-24.",
      ],
      [cells(unit) ** 2, "The share falls with the square of the number of cells: take the root."],
      [cells(2 ** -53), "That is where float64 ends."],
    ]);
  },
};

/** 11.3: variance that the halved score leaves of data of variance 1. */
export const halvedScore: Exercise<number> = {
  number: "11.3",
  fault(answer) {
    const schedule = vpSchedule();
    const times = Float64Array.from({ length: 2001 }, (_, k) => 1 - k / 2000);
    const [half, right] = [reverseForms.halfScore, reverseForms.sde].map(
      (form) => reverseVariances(form, { mean: 0, variance: 1 }, schedule, times)[2000],
    );
    return numberFault(answer, half, 0.01, [
      [
        right,
        "1 is what the right equation gives; with half the score the drift is zero and only noise is added.",
      ],
      [half - 1, "That is the noise that is added; the particles start with variance 1."],
      [1 + schedule.beta(1), "β changes with time: the noise adds its integral α(1)."],
    ]);
  },
};

type Together = (
  r0: Float64Array,
  r1: Float64Array,
  r2: Float64Array,
  equilibriumPotential: number,
  flux: number,
) => Float64Array;

/** 11.4: both fields of a porosity from its three responses. */
export const fieldsFromResponses: Exercise<Together> = {
  number: "11.4",
  fault(answer) {
    const problem = porousElectrode("figures");
    const { latent, conditions, fields } = generateDataSet(problem, { conditions: 5, fields: 1, seed: 11 });
    for (let row = 0; row < 5; row++) {
      const [r0, r1, r2] = problem.responses(
        latent!.subarray(row * problem.cells, (row + 1) * problem.cells),
      );
      const [, potential, flux] = conditions.subarray(3 * row, 3 * row + 3);
      const given = answer(r0.slice(), r1.slice(), r2.slice(), potential, flux);
      const solved = fields.subarray(2 * problem.cells * row, 2 * problem.cells * (row + 1));
      const mixed = (a: number, b: number, c: number) =>
        r0.map((value, i) => a * value + b * r1[i] + c * r2[i]);
      if (!given || given.length !== solved.length)
        return `Your function must return ${solved.length} numbers, both fields of ${problem.cells} cells.`;
      if (agree(given, solved)) continue;
      if (agree(given, mixed(0, potential, flux)))
        return "The first response, of the solid's potential, is missing.";
      if (agree(given, mixed(1, flux, potential)))
        return "U0 belongs to the second response, F to the third.";
      const where = solved.findIndex((value, i) => !agree([given[i]], [value]));
      return `At U0 = ${potential.toFixed(3)} V, F = ${flux.toFixed(1)} A/m² value ${where} is ${given[where]}; the solver gives ${solved[where]}.`;
    }
    return undefined;
  },
};

/** Equal to round-off: 1e-9 of each value, or of a microvolt. */
function agree(given: ArrayLike<number>, expected: ArrayLike<number>): boolean {
  return Array.from(expected).every(
    (value, i) => Math.abs(given[i] - value) <= 1e-9 * Math.abs(value) + 1e-12,
  );
}
