import { type Convention, PorousElectrode } from "../../../lib/electrode";

/** Fields of one solve. */
export interface ElectrodeFields {
  /** mol/m3 (cells) */
  readonly c: Float64Array;
  /** V (cells) */
  readonly phi: Float64Array;
}

/** Solves once: porosity (cells), U0 in V, F_right in A/m2. For many solves keep a PorousElectrode. Throws InputError. */
export function solveElectrode(
  porosity: Float64Array,
  conditions: { readonly equilibriumPotential: number; readonly flux: number },
  convention: Convention,
): ElectrodeFields {
  const electrode = new PorousElectrode(convention).setPorosity(porosity);
  const fields = { c: new Float64Array(porosity.length), phi: new Float64Array(porosity.length) };
  electrode.solve(conditions.equilibriumPotential, conditions.flux, fields.c, fields.phi);
  return fields;
}

/**
 * The affine parts of both fields for one porosity (cells): [r0, r1, r2] with field = r0 + U0 r1 + F r2.
 * Throws InputError.
 */
export function electrodeResponses(
  porosity: Float64Array,
  convention: Convention,
): readonly ElectrodeFields[] {
  const parts = [0, 1, 2].map(() => ({
    c: new Float64Array(porosity.length),
    phi: new Float64Array(porosity.length),
  }));
  const electrode = new PorousElectrode(convention).setPorosity(porosity);
  electrode.responses(
    parts.map((part) => part.c),
    parts.map((part) => part.phi),
  );
  return parts;
}
