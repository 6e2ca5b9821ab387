import { ELECTRODE, PorousElectrode } from "../../../lib/electrode";
import { type Exercise, numberFault } from "../../../lib/notebook/check";

type Resistivities = (phi: number[], flux: number[], spacing: number) => number[];

/** 13.1: resistivities of the faces from the potentials of the cells and the fluxes of the faces. */
export const faceResistivities: Exercise<Resistivities> = {
  number: "13.1",
  fault(answer) {
    const spacing = 1e-6;
    const flux = [5, 10, 20];
    const phi = [0, 2e-5, 5e-5, 1.2e-4];
    const given = answer([...phi], [...flux], spacing);
    if (!Array.isArray(given) || given.length !== flux.length)
      return `There are ${flux.length} faces between ${phi.length} cells; your function returns ${given?.length ?? "no"} numbers.`;
    for (const [i, value] of given.entries()) {
      const exact = (phi[i + 1] - phi[i]) / (flux[i] * spacing);
      const fault = numberFault(value, exact, 1e-9, [
        [1 / exact, "this is the conductivity, one over the resistivity."],
        [exact * spacing, "the slope is the difference divided by the width of a cell."],
        [exact * spacing ** 2, "divide by the width of a cell, do not multiply."],
      ]);
      if (fault) return `Of face ${i + 1} your function returns ${value}: ${fault}`;
    }
    return undefined;
  },
};

type Porosity = (resistivity: number) => number;

/** 13.2: the porosity that a resistivity belongs to. */
export const porosityOfResistivity: Exercise<Porosity> = {
  number: "13.2",
  fault(answer) {
    const electrode = new PorousElectrode("figures");
    for (const porosity of [0.21, 0.35, 0.48]) {
      electrode.setPorosity(new Float64Array(ELECTRODE.cells).fill(porosity));
      const resistivity = 1 / electrode.effectiveConductivity[0];
      const fault = numberFault(answer(resistivity), porosity, 1e-9, [
        [
          resistivity ** (1 / 1.5),
          "a higher resistivity belongs to a lower porosity: look at the sign of the exponent.",
        ],
        [resistivity ** -1.5, "the exponent is inverted, too: ε = (k / κ₀)^(1/b)."],
        [1 / resistivity, "this is the conductivity; the porosity is its power 1/b."],
      ]);
      if (fault) return `For ρ = ${resistivity.toPrecision(4)} Ω m: ${fault}`;
    }
    return undefined;
  },
};
