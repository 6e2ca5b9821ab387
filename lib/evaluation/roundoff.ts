import { ELECTRODE } from "../electrode";
import { ground, uniformGrid } from "../finiteVolumes";

/**
 * The grounded potential of the "figures" convention as ordinary elimination gives it in single precision.
 *
 * Every operation is rounded by Math.fround. The diagonal of the matrix, multiplied by dx^2, is the sum of two face
 * conductivities of about 0.2 S/m and a reaction term a k_rn dx^2 of about 3.5e-8 S/m, which float32 (unit round-off
 * 6e-8) hardly sees. Only to show that error: PorousElectrode is the solver.
 * porosity (cells), equilibriumPotential in V, flux in A/m2; returns phi in V (cells).
 * Source: Thomas elimination as in Press et al., Numerical Recipes, section 2.4.
 */
export function potentialInFloat32(
  porosity: Float64Array,
  equilibriumPotential: number,
  flux: number,
  constants: Readonly<typeof ELECTRODE> = ELECTRODE,
): Float64Array {
  const f = Math.fround;
  const { cells, centres, spacing } = uniformGrid(constants.cells, constants.length);
  const dx = f(spacing);
  const conductivity = porosity.map((value) =>
    f(constants.conductivity * f(Math.pow(f(value), constants.bruggeman))),
  );
  const face = (i: number): number => {
    if (i < 0 || i >= cells - 1) return 0;
    const product = f(f(2 * conductivity[i]) * conductivity[i + 1]);
    return f(product / f(conductivity[i] + conductivity[i + 1]));
  };

  const upper = new Float64Array(cells); // eliminated superdiagonal
  const phi = new Float64Array(cells); // eliminated right-hand side, then the solution
  for (let i = 0; i < cells; i++) {
    const surface = f(constants.specificSurface * f(1 - f(porosity[i])));
    const reaction = f(f(f(surface * f(constants.reactionRate)) * dx) * dx);
    const diagonal = f(f(face(i - 1) + face(i)) + reaction);
    const driving = f(f(constants.solidPotentialSlope * f(centres[i])) - f(equilibriumPotential));
    const boundary = i === cells - 1 ? f(f(flux) * dx) : 0;
    const load = f(f(reaction * driving) + boundary);
    if (i === 0) {
      upper[0] = f(face(0) / diagonal);
      phi[0] = f(load / diagonal);
    } else {
      const pivot = f(diagonal - f(face(i - 1) * upper[i - 1]));
      upper[i] = f(face(i) / pivot);
      phi[i] = f(f(load + f(face(i - 1) * phi[i - 1])) / pivot);
    }
  }
  for (let i = cells - 2; i >= 0; i--) phi[i] = f(phi[i] + f(upper[i] * phi[i + 1]));
  ground(phi);
  return phi.map(f);
}
