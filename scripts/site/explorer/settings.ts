/** What the page shows, as its address tells it. Lengths in µm and potentials of the electrolyte in mV, as in the figures. */

/** Correlation lengths that can be chosen, µm: the series R20 of preferred numbers, 12 % apart. */
export const LENGTHS = [
  2, 2.25, 2.5, 2.8, 3.15, 3.55, 4, 4.5, 5, 5.6, 6.3, 7.1, 8, 9, 10, 11.2, 12.5, 14, 16, 18, 20,
] as const;

/** A value that a sensor has measured. */
export interface Sensor {
  readonly field: FieldName;
  /** µm */
  readonly x: number;
  /** mol/m3 or mV */
  readonly value: number;
}
export const FIELDS = ["c", "phi"] as const;
export type FieldName = (typeof FIELDS)[number];

export interface Settings {
  /** Correlation length, µm; one of {@link LENGTHS}. */
  readonly l: number;
  /** Equilibrium potential, V. */
  readonly U0: number;
  /** Flux at x = L, A/m2. */
  readonly F: number;
  /** Of all random numbers, as the command line's --seed. */
  readonly seed: number;
  /** Solutions and draws. */
  readonly draws: number;
  /** The one draw that is shown by itself, from 1. */
  readonly draw: number;
  /** Standard deviation of the sensors, per cent of the largest one of their field. */
  readonly noise: number;
  readonly sensors: readonly Sensor[];
}

/** Figure 4 of the post. */
export const initial: Settings = { l: 10, U0: 0, F: 25, seed: 1, draws: 64, draw: 1, noise: 10, sensors: [] };

const RANGES = {
  l: [LENGTHS[0], LENGTHS[LENGTHS.length - 1]],
  U0: [-0.2, 0.2],
  F: [0, 50],
  seed: [0, 999_999],
  draws: [4, 250],
  draw: [1, 250],
  noise: [1, 100],
} as const;
const WHOLE: readonly string[] = ["seed", "draws", "draw"];
export const MOST_SENSORS = 12;

/** Decimals with which a sensor's value is told. */
export const DECIMALS: Readonly<Record<FieldName, number>> = { c: 2, phi: 3 };

/** Settings as the part of an address behind #, such as l=10&U0=0&F=25&c=50:998.20. */
export function toHash(settings: Settings): string {
  const parts = (Object.keys(RANGES) as (keyof typeof RANGES)[])
    .filter((name) => ["l", "U0", "F"].includes(name) || settings[name] !== initial[name])
    .map((name) => `${name}=${settings[name]}`);
  for (const field of FIELDS) {
    const own = settings.sensors.filter((sensor) => sensor.field === field);
    const places = own.map(({ x, value }) => `${x}:${value.toFixed(DECIMALS[field])}`);
    if (own.length > 0) parts.push(`${field}=${places.join(",")}`);
  }
  return parts.join("&");
}

/** Settings from an address: what is missing or no number is as at first, what lies outside is moved to its limit. */
export function fromHash(hash: string): Settings {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const settings: { -readonly [name in keyof Settings]: Settings[name] } = { ...initial };
  for (const name of Object.keys(RANGES) as (keyof typeof RANGES)[]) {
    const value = Number(given.get(name) || NaN);
    if (!Number.isFinite(value)) continue;
    const [low, high] = RANGES[name];
    const inside = clamp(value, low, high);
    settings[name] = WHOLE.includes(name) ? Math.round(inside) : inside;
  }
  settings.l = nearestLength(settings.l);
  settings.draw = Math.min(settings.draw, settings.draws);
  settings.sensors = FIELDS.flatMap((field) =>
    (given.get(field) ?? "").split(",").flatMap((place): Sensor[] => {
      const [x, value] = place.split(":").map((text) => Number(text || NaN));
      if (!Number.isFinite(x) || !Number.isFinite(value)) return [];
      return [{ field, x: clamp(x, 0, 100), value: clamp(value, -1e6, 1e6) }];
    }),
  ).slice(0, MOST_SENSORS);
  return settings;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

function nearestLength(l: number): number {
  const far = (length: number) => Math.abs(Math.log(length / l));
  return LENGTHS.reduce((best: number, length) => (far(length) < far(best) ? length : best), LENGTHS[0]);
}
