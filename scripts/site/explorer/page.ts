/** The page: its controls, its address and what it says of the numbers that the worker computes. */
import { Chart, type Series } from "./chart";
import type { Band, Drawn, FromWorker, ToWorker } from "./messages";
import { SensorHandles, spoken, tell } from "./sensors";
import { FIELDS, fromHash, initial, LENGTHS, type Settings, toHash } from "./settings";

/** Milliseconds after which work that still goes on is shown to do so. */
const PATIENCE = 500;
const NAMES = ["Concentration c in mol/m³", "Potential phi in mV", "Porosity"] as const;
const IDS = ["c", "phi", "porosity"] as const;

const byId = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const input = (id: string) => byId<HTMLInputElement>(id);
const write = (id: string, text: string) => (byId(id).textContent = text);

let settings = fromHash(location.hash);
/** What the worker has told last. */
const latest: {
  solved?: Extract<FromWorker, { kind: "solved" }>;
  drawn?: Drawn;
  posterior?: Drawn;
} = {};
/** When the work that goes on began; undefined where there is none. */
let since: number | undefined = performance.now();
/** What stays to be said of the backend. */
let note = "";
let addressTimer: number | undefined;

const charts = IDS.map(
  (id, f) => new Chart(byId(`figure-${id}`).querySelector(".chart")!, f === 2 ? [0.15, 0.55] : undefined),
);
const worker = new Worker("worker.js");
const send = (message: ToWorker) => worker.postMessage(message);

/** Takes other settings: shows them at once, asks for what belongs to them, and writes them into the address. */
function change(part: Partial<Settings>, brief = false): void {
  settings = { ...settings, ...part };
  if (settings.sensors.length === 0) latest.posterior = undefined;
  showControls();
  ask(brief);
  clearTimeout(addressTimer);
  addressTimer = window.setTimeout(
    () => history.replaceState(null, "", `#${toHash(settings)}`),
    brief ? 400 : 100,
  );
}

function ask(brief: boolean): void {
  since ??= performance.now();
  send({ kind: "show", settings, brief });
  document.body.dataset["asked"] = toHash(settings); // for tests
  draw(brief);
}

const handles = FIELDS.map(
  (field, f) =>
    new SensorHandles(charts[f], field, {
      sensors: () => settings.sensors,
      change: (sensors, moving) => change({ sensors }, moving),
      start: () => latest.drawn?.bands[f].mean[50] ?? 0,
      say: (text) => write("status", text),
    }),
);

const withUnit: Readonly<Record<string, () => string>> = {
  l: () => `${settings.l} µm`,
  U0: () => `${settings.U0.toFixed(2).replace("-", "−")} V`,
  F: () => `${settings.F} A/m²`,
  draw: () => `${settings.draw} of ${settings.draws}`,
  noise: () => `${settings.noise} % of the spread`,
  at: () => `x = ${place().toFixed(1)} µm`,
};

/** Where the figures are read, µm: the centre of a cell. */
const place = () => Number(input("at").value) + 0.5;

function showControls(): void {
  input("l").value = String(LENGTHS.indexOf(settings.l as (typeof LENGTHS)[number]));
  for (const name of ["U0", "F", "draw", "noise"] as const) {
    if (name === "draw") input(name).max = String(settings.draws);
    input(name).value = String(settings[name]);
  }
  for (const [name, text] of Object.entries(withUnit)) {
    document.querySelector(`output[for="${name}"]`)!.textContent = text();
    input(name).setAttribute("aria-valuetext", text().replace("−", "minus "));
  }
  const some = settings.sensors.length > 0;
  for (const id of ["noise-control", "clear"]) byId(id).hidden = !some;
  document.querySelector<HTMLElement>(".legend .post")!.hidden = !some;
  handles.forEach((each) => each.show());
  listSensors();
}

/** The sensors in words, each with a button that takes it away. */
function listSensors(): void {
  const list = document.querySelector<HTMLElement>("ul.sensors")!;
  while (list.childElementCount > settings.sensors.length) list.lastChild!.remove();
  while (list.childElementCount < settings.sensors.length) {
    const k = list.childElementCount;
    const remove = document.createElement("button");
    Object.assign(remove, { type: "button", textContent: "×" });
    remove.addEventListener("click", () => change({ sensors: settings.sensors.filter((_, i) => i !== k) }));
    const row = document.createElement("li");
    row.append(document.createElement("span"), remove);
    list.append(row);
  }
  settings.sensors.forEach((sensor, k) => {
    const [words, remove] = list.children[k].children;
    words.textContent = tell(sensor, latest.solved?.deviations[FIELDS.indexOf(sensor.field)]);
    remove.setAttribute("aria-label", `Remove the sensor: ${spoken(sensor)}`);
  });
}

/** Draws all figures of what is known, and says it in words. keepRange: axes stay as they are, as something is moved. */
function draw(keepRange = false): void {
  const { solved, drawn } = latest;
  const given = settings.sensors.length > 0 ? latest.posterior : undefined;
  const shown = given ?? drawn;
  charts.forEach((chart, f) => {
    const series: Series[] = [];
    const stale = (of: { settings: Settings } | undefined) => (same(of) ? "" : " stale");
    const behind = given ? " behind" : "";
    if (solved) series.push({ name: `pde${behind}`, ...solved.bands[f] });
    if (drawn) series.push({ name: `sgm${behind}${stale(drawn)}`, ...drawn.bands[f] });
    if (given) series.push({ name: `post${stale(given)}`, ...given.bands[f] });
    const { one } = shown ?? {};
    const mean = one && [one.c, one.phi, one.porosity][f];
    if (mean) series.push({ name: `one${stale(shown)}`, mean });
    const sensors = settings.sensors.filter(({ field }) => FIELDS.indexOf(field) === f);
    chart.show(series, sensors, solved?.deviations[f] ?? 0, keepRange);
  });
  read();
  write("legend-pde", `PDE, ${settings.draws} solutions`);
  write("legend-sgm", `model, ${drawn?.draws ?? settings.draws} draws`);
  write("legend-one", `draw ${settings.draw}`);
}

/** Whether something was computed for what is asked for now. */
function same(of: { readonly settings: Settings } | undefined): boolean {
  const key = ({ l, U0, F, seed, draws }: Settings) => [l, U0, F, seed, draws].join();
  return of !== undefined && key(of.settings) === key(settings);
}

/** What the figures say at the cursor, to be seen; and in words, for who does not see them. */
function read(): void {
  const cell = Number(input("at").value);
  const given = settings.sensors.length > 0 ? latest.posterior : undefined;
  const known: [name: string, words: string, bands: readonly Band[] | undefined][] = [
    ["pde", "PDE", latest.solved?.bands],
    ["sgm", "model", latest.drawn?.bands],
    ["post", "given the sensors", given?.bands],
  ];
  IDS.forEach((id, f) => {
    charts[f].read(place());
    const decimals = [2, 3, 3][f];
    const number = (value: number) => value.toFixed(decimals).replace("-", "−");
    const at = (bands: readonly Band[], i: number) => {
      const { mean, low, high } = bands[f];
      if (Number.isNaN(mean[i])) return "no porosity has such potentials";
      return `${number(mean[i])} [${number(low[i])}, ${number(high[i])}]`;
    };
    const figure = byId(`figure-${id}`);
    const parts = known.flatMap(([name, words, bands]) => {
      if (!bands) return [];
      const label = document.createElement("span");
      label.className = name;
      label.textContent = words;
      const values = document.createElement("div");
      values.append(label, ` ${at(bands, cell)}`);
      return values;
    });
    figure.querySelector(".reading")!.replaceChildren(...parts);
    const said = known.flatMap(([, words, bands]) => {
      if (!bands) return [];
      const points = [0, 49, 99].map((i) => `at x = ${i + 0.5} µm ${at(bands, i)}`);
      return `${words}: ${points.join(", ")}`;
    });
    const alternative = `${NAMES[f]} over the electrode, mean and 5 to 95 per cent band. ${said.join("; ")}.`;
    const chart = figure.querySelector(".chart")!;
    chart.setAttribute("role", "group");
    chart.setAttribute("aria-label", alternative);
  });
}

worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
  if (data.kind === "ready") {
    write("backend", `${data.backend}, off by ${data.error.toExponential(0)}`);
    note = data.note;
    if (note) fault(note);
  } else if (data.kind === "progress") {
    const { hidden } = byId("progress");
    if (since === undefined || (hidden && performance.now() - since < PATIENCE)) return;
    byId("progress").hidden = false;
    byId<HTMLProgressElement>("progress").value = data.share;
    write("status", `${data.what} …`);
  } else if (data.kind === "solved") {
    latest.solved = data;
    listSensors();
    draw(moving());
  } else if (data.kind === "drawn") {
    latest.drawn = data;
    draw(moving());
  } else if (data.kind === "posterior") {
    latest.posterior = data;
    byId("warning").hidden = data.warning === "";
    write("warning", data.warning);
    draw(moving());
  } else if (data.kind === "done") finished(data.tensors);
  else if (data.kind === "saved") save(data.csv);
  else fault(data.message);
};
worker.onerror = () =>
  fault(
    location.protocol === "file:"
      ? "A browser computes nothing for a page that is opened as a file: serve the folder, such as by python3 -m http.server, and open it from there."
      : "The part of this page that computes has ended: reload it.",
  );

/** Whether a sensor is on its way, so that axes stay as they are. */
const moving = () => handles.some(({ held }) => held);

function finished(tensors: number): void {
  const took = since === undefined ? 0 : (performance.now() - since) / 1000;
  since = undefined;
  byId("progress").hidden = true;
  byId("fault").hidden = note === ""; // other faults are over
  write("fault", note);
  const { solved, posterior } = latest;
  const given = settings.sensors.length > 0 ? posterior : undefined;
  write("status", `computed in ${took.toFixed(1)} s`);
  if (!given) byId("warning").hidden = true;
  // For tests: what was done last.
  Object.assign(document.body.dataset, { done: toHash(solved!.settings), seconds: String(took), tensors });
}

function fault(message: string): void {
  since = undefined;
  byId("progress").hidden = true;
  byId("fault").hidden = false;
  write("fault", message);
}

function save(csv: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
  link.download = `sgm-l${settings.l}-U${settings.U0}-F${settings.F}-seed${settings.seed}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}

input("l").addEventListener("input", () => change({ l: LENGTHS[Number(input("l").value)] }));
for (const name of ["U0", "F", "draw", "noise"] as const)
  input(name).addEventListener("input", () => change({ [name]: Number(input(name).value) }));
input("at").addEventListener("input", () => {
  showControls();
  read();
});
for (const chart of charts)
  chart.host.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse" || event.buttons !== 0 || !chart.holds(event)) return;
    input("at").value = String(Math.floor(Math.min(chart.place(event).x, 99)));
    input("at").dispatchEvent(new Event("input"));
  });
byId("again").addEventListener("click", () => change({ seed: (settings.seed + 1) % 1_000_000 }));
byId("reset").addEventListener("click", () => change(initial));
byId("clear").addEventListener("click", () => change({ sensors: [] }));
byId("save").addEventListener("click", () => send({ kind: "save" }));
document.querySelectorAll<HTMLElement>("button.add").forEach((button, f) => {
  button.addEventListener("click", () => handles[f].add());
});
window.addEventListener("hashchange", () => {
  settings = fromHash(location.hash);
  latest.posterior = undefined;
  showControls();
  ask(false);
});

showControls();
ask(false);
