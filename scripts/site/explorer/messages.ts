/** What page and worker tell each other. Fields are those of the figures: c in mol/m3, the potential in mV, porosity. */
import type { Settings } from "./settings";

/** Mean and 5-95 % band over the electrode: each (cells). */
export interface Band {
  readonly mean: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** Bands of c, potential and porosity. */
export type Bands = readonly [c: Band, phi: Band, porosity: Band];

export type ToWorker =
  /** A newer one ends the work on those before. brief: fewer draws will do, as more of these follow. */
  | { readonly kind: "show"; readonly settings: Settings; readonly brief: boolean }
  /** Asks for all draws. */
  | { readonly kind: "save" };

/** Fields of the model, or of the model given the sensors. */
export interface Drawn {
  readonly settings: Settings;
  readonly bands: Bands;
  /** How many fields the bands are of. */
  readonly draws: number;
  /** The one draw (cells); no porosity where none has its potential. */
  readonly one: { readonly c: Float64Array; readonly phi: Float64Array; readonly porosity?: Float64Array };
  /** What it took; 0 where draws were at hand. */
  readonly seconds: number;
}

export type FromWorker =
  | { readonly kind: "ready"; readonly backend: string; readonly note: string; readonly error: number }
  | { readonly kind: "progress"; readonly what: string; readonly share: number }
  /** deviations: of one sensor of each field, in its unit. */
  | ({ readonly kind: "solved"; readonly deviations: readonly [number, number] } & Pick<
      Drawn,
      "settings" | "bands" | "seconds"
    >)
  | ({ readonly kind: "drawn" } & Drawn)
  /** warning: what makes the sensors improbable, or nothing. */
  | ({ readonly kind: "posterior"; readonly warning: string } & Drawn)
  /** Everything asked for is done. tensors: how many the backend holds. */
  | { readonly kind: "done"; readonly settings: Settings; readonly tensors: number }
  | { readonly kind: "saved"; readonly csv: string }
  | { readonly kind: "failed"; readonly message: string };
