import { GaussianProcess, POROSITY_MAX, POROSITY_MIN, squashToPorosity } from "../gaussianProcess";
import { type Convention, ELECTRODE, PorousElectrode } from "../electrode";
import type { Random } from "../random";
import type { Problem } from "../problem";

const CONDITIONS: Problem["conditions"] = [
  {
    name: "correlation_length",
    symbol: "l",
    unit: "m",
    min: ELECTRODE.length / 50,
    max: ELECTRODE.length / 5,
    scale: "log",
    description: "correlation length of the Gaussian process behind the porosity",
    latentOnly: true,
  },
  {
    name: "equilibrium_potential",
    symbol: "U0",
    unit: "V",
    min: -0.2,
    max: 0.2,
    scale: "linear",
    description: "equilibrium potential of the reaction",
  },
  {
    name: "flux",
    symbol: "F",
    unit: "A/m2",
    min: 0,
    max: 50,
    scale: "linear",
    description: "ionic current density at x = L",
  },
];

/**
 * c' = LINK phi' in mol/(m3 V) at every interior face, in the convention "text".
 *
 * The reaction current R drives both fluxes, (k phi')' = -R and (D c')' = -(1 - t+) / F R, both vanish at x = 0, and
 * D / k = D_0 / kappa_0 throughout, as the Bruggeman exponent is the same. In the convention "figures" c is not steady
 * and its reaction sees another potential, so that the law does not hold.
 */
const LINK =
  ((1 - ELECTRODE.transferenceNumber) * ELECTRODE.conductivity) / (ELECTRODE.faraday * ELECTRODE.diffusivity);

/**
 * The porous electrode in one of its conventions, on 100 cells of [0, 1e-4 m].
 *
 * Conditions: correlation length in m (2e-6 .. 2e-5, log-uniform), equilibrium potential in V (-0.2 .. 0.2), flux in A/m2
 * (0 .. 50). Fields: c in mol/m3, phi in V. Latent: porosity, 0.2 .. 0.5. Throws InputError for an unknown convention.
 */
export function porousElectrode(convention: Convention): Problem {
  const electrode = new PorousElectrode(convention);
  const { cells } = ELECTRODE;

  function solve(latent: Float64Array, conditions: Float64Array, fields: Float64Array): void {
    for (let row = 0; row * cells < latent.length; row++) {
      const start = 2 * row * cells;
      electrode.setPorosity(latent.subarray(row * cells, (row + 1) * cells));
      electrode.solve(
        conditions[1],
        conditions[2],
        fields.subarray(start, start + cells),
        fields.subarray(start + cells, start + 2 * cells),
      );
    }
  }

  /** Root mean square of c' - LINK phi' over the interior faces, relative to that of c'. */
  function imbalance(fields: Float64Array): number {
    let [difference, whole] = [0, 0];
    for (let i = 0; i + 1 < cells; i++) {
      const slope = fields[i + 1] - fields[i];
      difference += (slope - LINK * (fields[cells + i + 1] - fields[cells + i])) ** 2;
      whole += slope ** 2;
    }
    return Math.sqrt(difference / whole);
  }

  return {
    name: "porous-electrode",
    version: 1,
    description: "Electrolyte concentration and potential in a battery electrode of uncertain porosity",
    settings: { convention },
    conditions: CONDITIONS,
    fields: [
      { name: "c", symbol: "c", unit: "mol/m3", description: "electrolyte concentration", min: 0 },
      { name: "phi", symbol: "φ", unit: "V", description: "electrolyte potential, zero in the first cell" },
    ],
    latent: { name: "porosity", symbol: "ε", unit: "1", description: "porosity" },
    cells,
    length: ELECTRODE.length,
    positions: electrode.grid.centres,
    affineIn: ["equilibrium_potential", "flux"],
    reference: [ELECTRODE.length / 10, 0, 25], // Figure 4 of the blog post

    simulate(conditions: Float64Array, random: Random, latent: Float64Array, fields: Float64Array): void {
      const process = new GaussianProcess(electrode.grid.centres, conditions[0]);
      for (let start = 0; start < latent.length; start += cells) {
        squashToPorosity(process.draw(random, latent.subarray(start, start + cells)));
      }
      solve(latent, conditions, fields);
    },

    solve,

    ...(convention === "text" && { imbalance }),

    // The sigmoid of a Gaussian process that changes its sign.
    mirror: (latent) => latent.map((porosity) => POROSITY_MIN + POROSITY_MAX - porosity),

    responses(latent: Float64Array): Float64Array[] {
      const parts = [0, 1, 2].map(() => new Float64Array(2 * cells));
      electrode.setPorosity(latent);
      electrode.responses(
        parts.map((part) => part.subarray(0, cells)),
        parts.map((part) => part.subarray(cells)),
      );
      return parts;
    },
  };
}
