/** One figure over the electrode: areas, curves, a cursor, and sensors that are moved. Drawn as SVG, of the size that it has. */
import { clamp } from "./settings";

/** One curve with its band (cells each); name: its class in the style sheet. */
export interface Series {
  readonly name: string;
  readonly mean?: ArrayLike<number>;
  readonly low?: ArrayLike<number>;
  readonly high?: ArrayLike<number>;
}

/** Where a sensor stands: µm and the field's unit. */
export interface Place {
  readonly x: number;
  readonly value: number;
}

const MARGIN = { left: 58, right: 14, top: 10, bottom: 36 };
/** µm */
const WIDTH = 100;

export class Chart {
  private readonly svg = element("svg", { "aria-hidden": "true", focusable: "false" });
  private size = { width: 400, height: 260 };
  private range: readonly [number, number] = [0, 1];
  private series: readonly Series[] = [];
  private sensors: readonly Place[] = [];
  private deviation = 0;
  private cursor = 50;

  /** fixed: the range of values, where it does not follow the series. */
  constructor(
    readonly host: HTMLElement,
    private readonly fixed?: readonly [number, number],
  ) {
    host.prepend(this.svg);
    new ResizeObserver(() => {
      this.size = { width: host.clientWidth || 400, height: host.clientHeight || 260 };
      this.draw();
      this.moved();
    }).observe(host);
  }

  /** Called when places on the screen have changed. */
  moved: () => void = () => undefined;

  show(series: readonly Series[], sensors: readonly Place[], deviation: number, keepRange: boolean): void {
    Object.assign(this, { series, sensors, deviation });
    if (!keepRange) this.range = this.fixed ?? this.rangeOf();
    this.draw();
    this.moved();
  }

  /** Moves the cursor to x, µm. */
  read(x: number): void {
    this.cursor = x;
    this.draw();
  }

  /** Where a point lies in the host, pixels. */
  pixel({ x, value }: Place): { left: number; top: number } {
    return { left: this.left(x), top: this.top(value) };
  }

  /** The point at a place on the screen, moved inside of the frame. */
  place(event: { readonly clientX: number; readonly clientY: number }): Place {
    const box = this.host.getBoundingClientRect();
    const { width, height } = this.inner;
    const across = clamp((event.clientX - box.left - MARGIN.left) / width, 0, 1);
    const up = clamp(1 - (event.clientY - box.top - MARGIN.top) / height, 0, 1);
    return { x: across * WIDTH, value: this.range[0] + up * (this.range[1] - this.range[0]) };
  }

  /** Whether a place on the screen lies inside of the frame. */
  holds({ clientX, clientY }: { readonly clientX: number; readonly clientY: number }): boolean {
    const box = this.host.getBoundingClientRect();
    const [x, y] = [clientX - box.left - MARGIN.left, clientY - box.top - MARGIN.top];
    return x >= 0 && y >= 0 && x <= this.inner.width && y <= this.inner.height;
  }

  /** A hundredth of the figure's height, in the field's unit: a step of a key. */
  get step(): number {
    return (this.range[1] - this.range[0]) / 100;
  }

  private get inner() {
    const { width, height } = this.size;
    return { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  }

  private readonly left = (x: number) => MARGIN.left + (x / WIDTH) * this.inner.width;
  private readonly top = (value: number) =>
    MARGIN.top + this.inner.height * (1 - (value - this.range[0]) / (this.range[1] - this.range[0]));

  private rangeOf(): readonly [number, number] {
    let [low, high] = [Infinity, -Infinity];
    const add = (value: number) => {
      if (!Number.isFinite(value)) return;
      [low, high] = [Math.min(low, value), Math.max(high, value)];
    };
    for (const { mean, low: under, high: over } of this.series)
      for (const values of [mean, under, over]) if (values) Array.from(values).forEach(add);
    this.sensors.forEach(({ value }) => {
      add(value - 2 * this.deviation);
      add(value + 2 * this.deviation);
    });
    if (!(low < high)) return this.range;
    const room = 0.06 * (high - low);
    return [low - room, high + room];
  }

  private draw(): void {
    const { width, height } = this.size;
    const { inner, range } = this;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const bottom = MARGIN.top + inner.height;
    const parts: string[] = [];
    for (const x of [0, 20, 40, 60, 80, 100]) {
      const left = this.left(x).toFixed(1);
      parts.push(`<path class="grid" d="M${left} ${MARGIN.top}V${bottom}"/>`);
      parts.push(`<text x="${left}" y="${bottom + 16}" text-anchor="middle">${x}</text>`);
    }
    parts.push(`<text x="${this.left(50)}" y="${bottom + 32}" text-anchor="middle">x (µm)</text>`);
    const { values, decimals } = ticks(range, Math.max(3, Math.round(inner.height / 55)));
    for (const value of values) {
      const top = this.top(value);
      parts.push(`<path class="grid" d="M${MARGIN.left} ${top.toFixed(1)}h${inner.width}"/>`);
      const text = value.toFixed(decimals).replace("-", "−");
      parts.push(`<text x="${MARGIN.left - 7}" y="${(top + 4).toFixed(1)}" text-anchor="end">${text}</text>`);
    }
    parts.push(
      `<clipPath id="${this.host.parentElement!.id}-clip"><rect x="${MARGIN.left}" y="${MARGIN.top}" width="${inner.width}" height="${inner.height}"/></clipPath>`,
    );
    parts.push(`<g clip-path="url(#${this.host.parentElement!.id}-clip)">`);
    for (const { name, mean, low, high } of this.series) {
      parts.push(`<g class="series ${name}">`);
      if (low && high && this.line(low)) {
        parts.push(`<path class="area" d="${this.line(low)}${this.line(high, true)}Z"/>`);
        parts.push(`<path class="edge" d="${this.line(low)}${this.line(high)}"/>`);
      }
      if (mean) parts.push(`<path class="curve" d="${this.line(mean)}"/>`);
      parts.push("</g>");
    }
    for (const { x, value } of this.sensors) {
      const [left, from, to] = [x, value - this.deviation, value + this.deviation].map((at, i) =>
        (i === 0 ? this.left(at) : this.top(at)).toFixed(1),
      );
      parts.push(`<path class="bar" d="M${left} ${from}V${to}m-5 0h10M${left} ${from}m-5 0h10"/>`);
    }
    const cursor = this.left(this.cursor).toFixed(1);
    parts.push(`<path class="cursor" d="M${cursor} ${MARGIN.top}V${bottom}"/></g>`);
    parts.push(
      `<rect class="frame" x="${MARGIN.left}" y="${MARGIN.top}" width="${inner.width}" height="${inner.height}"/>`,
    );
    this.svg.innerHTML = parts.join("");
  }

  /** A path through values at the centres of cells; from right to left it goes on from where the last one ended. */
  private line(values: ArrayLike<number>, back = false): string {
    const n = values.length;
    const points: string[] = [];
    for (let k = 0; k < n; k++) {
      const i = back ? n - 1 - k : k;
      if (!Number.isFinite(values[i])) continue;
      points.push(`${this.left(((i + 0.5) * WIDTH) / n).toFixed(1)} ${this.top(values[i]).toFixed(1)}`);
    }
    return points.length === 0 ? "" : `${back ? "L" : "M"}${points.join("L")}`;
  }
}

function element(name: "svg", attributes: Readonly<Record<string, string>>): SVGSVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** Round numbers in a range, about so many, and the decimals that they need. */
function ticks(
  [low, high]: readonly [number, number],
  about: number,
): { values: number[]; decimals: number } {
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const values: number[] = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) values.push(k * step);
  return { values, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}
