/** Solutions, draws and draws given sensors, each computed again only where what it depends on has changed. */
import { InputError } from "../../../lib/backend/errors";
import { finish } from "../../../lib/backend/interrupt";
import { columnMean, columnPercentiles, columnStd } from "../../../lib/comparison";
import { setBiases } from "../../../lib/gaussian/drawing";
import { POROSITY_MAX, POROSITY_MIN } from "../../../lib/gaussianProcess";
import { drawPosterior } from "../../../lib/posterior/drawPosterior";
import { posteriorWarnings } from "../../../lib/posterior/surprise";
import type { PresetModel } from "../../../lib/presets/createModel";
import { modelFrom } from "../../../lib/presets/modelFiles";
import { PotentialInversion } from "../../../lib/presets/recoveredPorosity";
import { simulateAt } from "../../../lib/presets/simulate";
import { drawBatch } from "../../../lib/sampling";
import type { Band, Bands, Drawn, FromWorker } from "./messages";
import { biasesAt, inMetres, KnownModes, lengthFile, lengthFromBytes, networkNumbers } from "./modes";
import { FIELDS, type Settings } from "./settings";

/** How far a backend may be from the native one, as a share of the largest number. */
const TOLERANCE = 1e-4;
/** Draws given sensors that follow a sensor on its way. */
const BRIEF_DRAWS = 24;
/** Network calls of a draw given sensors: the times at which biases are known. */
const STEPS = 16;

export class Explorer {
  private readonly modes: KnownModes;
  private readonly cells: number;
  private readonly inversion = new PotentialInversion("figures");
  private readonly known: {
    solutions?: { readonly key: string; readonly fields: Float64Array };
    responses?: { readonly key: string; readonly values: Float32Array };
    shown?: Float64Array;
  } = {};

  private constructor(
    private readonly model: PresetModel,
    modes: KnownModes,
    private readonly post: (message: FromWorker) => void,
  ) {
    this.modes = modes;
    this.cells = model.problem.cells;
  }

  /** Loads the model from beside the page. Throws Error where it computes other numbers than the native backend. */
  static async load(post: (message: FromWorker) => void): Promise<{ explorer: Explorer; error: number }> {
    const names = ["model.json", "network.json", "network.bin", "check.bin"];
    const files = new Map<string, ArrayBuffer>();
    await Promise.all(names.map(async (name) => files.set(name, await fetched(name))));
    const modes = new KnownModes();
    const bytes = (name: string) => new Uint8Array(files.get(name)!);
    const source = {
      bytes,
      json: (name: string): unknown => JSON.parse(new TextDecoder().decode(bytes(name))),
      damaged: (reason: string) => new InputError(`The model beside this page is damaged: ${reason}.`),
    };
    const model = modelFrom(source, modes);
    const expected = new Float32Array(files.get("check.bin")!);
    const numbers = networkNumbers(model);
    let [error, largest] = [numbers.length === expected.length ? 0 : Infinity, 0];
    expected.forEach((value, i) => {
      error = Math.max(error, Math.abs(numbers[i] - value));
      largest = Math.max(largest, Math.abs(value));
    });
    if (!(error <= TOLERANCE * largest)) {
      model.dispose();
      throw new Error(`its network is off by ${(error / largest).toPrecision(2)} of the largest number`);
    }
    return { explorer: new Explorer(model, modes, post), error: error / largest };
  }

  /** Computes and posts what is new. Throws Interrupted or an abort error once the signal is aborted. */
  async show(settings: Settings, brief: boolean, signal: AbortSignal): Promise<void> {
    const { post } = this;
    const conditions = Float64Array.of(inMetres(settings.l), settings.U0, settings.F);
    const deviations = this.solve(settings, conditions);
    await turn(signal);
    const begin = performance.now();
    const [values, fresh] = await this.responses(settings, signal);
    const fields = this.model.preconditioner.toFields!(conditions, values);
    const seconds = fresh ? (performance.now() - begin) / 1000 : 0;
    post({ kind: "drawn", ...this.drawn(settings, fields, seconds) });
    this.known.shown = fields;
    if (settings.sensors.length > 0) await this.given(settings, conditions, deviations, brief, signal);
  }

  /** The draws that are shown, without sensors, as `sample` writes them: a header, then a row for each draw. */
  csv(): string {
    const { known, cells } = this;
    if (!known.shown) return "";
    const header = FIELDS.flatMap((name) => Array.from({ length: cells }, (_, i) => `${name}_${i}`));
    const rows = Array.from({ length: known.shown.length / (2 * cells) }, (_, row) =>
      known.shown!.subarray(2 * cells * row, 2 * cells * (row + 1)).join(","),
    );
    return [header.join(","), ...rows, ""].join("\n");
  }

  /** Posts the solver's bands. Returns the deviations of sensors, in mol/m3 and V. */
  private solve(settings: Settings, conditions: Float64Array): [number, number] {
    const { known, cells, model } = this;
    const key = JSON.stringify([...conditions, settings.draws, settings.seed]);
    const begin = performance.now();
    if (known.solutions?.key !== key) {
      const { fields } = simulateAt(model.problem, conditions, settings.draws, settings.seed);
      known.solutions = { key, fields };
    }
    const { fields } = known.solutions;
    const spread = columnStd(fields, 2 * cells);
    const largest = (from: number) => Math.max(...spread.subarray(from, from + cells));
    const deviations: [number, number] = [largest(0), largest(cells)];
    for (const f of [0, 1]) deviations[f] *= settings.noise / 100;
    this.post({
      kind: "solved",
      settings,
      bands: [...fieldBands(fields, cells), lawOfPorosity(cells)],
      deviations: [deviations[0], 1000 * deviations[1]],
      seconds: (performance.now() - begin) / 1000,
    });
    return deviations;
  }

  /** Standardised responses of the draws (draws, cells, channels), which serve all U0 and F, and whether they are new. */
  private async responses(settings: Settings, signal: AbortSignal): Promise<[Float32Array, boolean]> {
    const { model, known } = this;
    const { l, draws, seed } = settings;
    const key = JSON.stringify([l, draws, seed]);
    if (known.responses?.key === key) return [known.responses.values, false];
    await this.loadLength(l, signal);
    // All but the correlation length is nothing to the network.
    const conditions = Float64Array.of(inMetres(l), 0, 25);
    const { sampler, schedule, noiseLevels } = model;
    const times = sampler.grid(schedule, STEPS, noiseLevels);
    const drawing = finish(model.preconditioner.drawing!(model, conditions, sampler, times));
    try {
      let values: Float32Array | undefined;
      for (const { step, steps, x } of drawBatch(model, drawing, draws, sampler, times, seed, 0)) {
        this.post({ kind: "progress", what: `${draws} draws of the model`, share: step / steps });
        await turn(signal);
        if (step < steps) continue;
        const fields = drawing.fields(x);
        values = (await fields.data()).slice() as Float32Array;
        fields.dispose();
      }
      known.responses = { key, values: values! };
      return [values!, true];
    } finally {
      drawing.dispose();
    }
  }

  private async loadLength(l: number, signal: AbortSignal): Promise<void> {
    const { model, modes } = this;
    const conditions = Float64Array.of(inMetres(l), 0, 25);
    const times = model.sampler.grid(model.schedule, STEPS, model.noiseLevels);
    if (!modes.lengths.has(conditions[0])) {
      const { cells, outputs } = model.preconditioner.shape;
      const bytes = await fetched(lengthFile(l));
      signal.throwIfAborted();
      modes.lengths.clear(); // one serves until another is asked for, and the browser keeps files
      modes.lengths.set(conditions[0], lengthFromBytes(bytes, STEPS, cells * outputs));
    }
    const data = modes.lengths.get(conditions[0])!;
    setBiases(model, conditions, model.sampler, times, biasesAt(data, times));
  }

  /** Posts what the model draws given the sensors. deviations: of these, in mol/m3 and V. */
  private async given(
    settings: Settings,
    conditions: Float64Array,
    deviations: readonly [number, number],
    brief: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { model } = this;
    await this.loadLength(settings.l, signal);
    const begin = performance.now();
    const count = brief ? Math.min(BRIEF_DRAWS, settings.draws) : settings.draws;
    const sensors = settings.sensors.map(({ field, x, value }) => ({
      field,
      x: x * 1e-6,
      value: field === "phi" ? value / 1000 : value,
      std: deviations[FIELDS.indexOf(field)],
    }));
    const found = await drawPosterior(model, conditions, sensors, {
      method: "jfps",
      count,
      steps: STEPS,
      seed: settings.seed,
      onProgress: ({ fields }) =>
        this.post({ kind: "progress", what: `${count} draws given the sensors`, share: fields / count }),
      signal,
    });
    const seconds = (performance.now() - begin) / 1000;
    const warning = posteriorWarnings(found).join(" ");
    this.post({ kind: "posterior", warning, ...this.drawn(settings, found.data.fields, seconds) });
  }

  private drawn(settings: Settings, fields: Float64Array, seconds: number): Drawn {
    const { cells, inversion } = this;
    const draws = fields.length / (2 * cells);
    const porosities: Float64Array[] = [];
    const one = Math.min(settings.draw, draws) - 1;
    let porosity: Float64Array | undefined;
    for (let row = 0; row < draws; row++) {
      const read = new Float64Array(cells);
      const phi = fields.subarray(2 * cells * row + cells, 2 * cells * (row + 1));
      if (inversion.recover(phi, settings.F, read) !== undefined) continue;
      porosities.push(read);
      if (row === one) porosity = read;
    }
    const all = new Float64Array(porosities.length * cells);
    porosities.forEach((read, k) => all.set(read, k * cells));
    const start = 2 * cells * one;
    return {
      settings,
      draws,
      seconds,
      bands: [...fieldBands(fields, cells), all.length > 0 ? bandOf(all, cells) : unknown(cells)],
      one: {
        c: fields.slice(start, start + cells),
        phi: inMillivolts(fields.subarray(start + cells, start + 2 * cells)),
        porosity,
      },
    };
  }
}

const inMillivolts = (values: Float64Array) => values.map((value) => 1000 * value);

/** Bands of c and of the potential, of fields (rows, fields, cells). */
function fieldBands(fields: Float64Array, cells: number): [Band, Band] {
  const both = bandOf(fields, 2 * cells);
  const part = (from: number, change = (values: Float64Array) => values): Band => {
    const of = (values: Float64Array) => change(values.slice(from, from + cells));
    return { mean: of(both.mean), low: of(both.low), high: of(both.high) };
  };
  return [part(0), part(cells, inMillivolts)];
}

function bandOf(values: Float64Array, columns: number): Band {
  const [low, high] = columnPercentiles(values, columns, [5, 95]);
  return { mean: columnMean(values, columns), low, high };
}

/** Of the porosity's law, the same at each x: 0.2 + 0.3 sigmoid(z) of a standard normal z, whose 95 % quantile is 1.645. */
function lawOfPorosity(cells: number): Bands[2] {
  const at = (z: number) =>
    new Float64Array(cells).fill(POROSITY_MIN + (POROSITY_MAX - POROSITY_MIN) / (1 + Math.exp(-z)));
  return { mean: at(0), low: at(-1.6448536), high: at(1.6448536) };
}

const unknown = (cells: number): Band => {
  const nothing = new Float64Array(cells).fill(NaN);
  return { mean: nothing, low: nothing, high: nothing };
};

/** The bytes of a file beside the page. Throws Error where it does not come. */
async function fetched(name: string): Promise<ArrayBuffer> {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`the file ${name} beside this page cannot be loaded (${answer.status})`);
  return answer.arrayBuffer();
}

/** Lets messages in, then throws if one has ended the work. */
async function turn(signal: AbortSignal): Promise<void> {
  await new Promise((go) => setTimeout(go));
  signal.throwIfAborted();
}
