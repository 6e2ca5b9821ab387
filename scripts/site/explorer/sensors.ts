/** The sensors of one figure: set by a click, moved by the pointer and by keys. Each is a button that lies on the drawing. */
import type { Chart } from "./chart";
import { clamp, DECIMALS, type FieldName, MOST_SENSORS, type Sensor } from "./settings";

const UNITS: Readonly<Record<FieldName, string>> = { c: "mol/m³", phi: "mV" };

/** A sensor in the words of a table. */
export function tell({ field, x, value }: Sensor, deviation?: number): string {
  const number = (of: number) => of.toFixed(DECIMALS[field]).replace("-", "−");
  const noise = deviation === undefined ? "" : ` ± ${number(deviation)}`;
  return `${field === "c" ? "c" : "φ"} at ${x} µm: ${number(value)}${noise} ${UNITS[field]}`;
}

/** The same, to be heard. */
export const spoken = (sensor: Sensor) => tell(sensor).replace("φ", "phi").replace("−", "minus ");

/** What a figure's sensors are a part of. */
export interface Host {
  sensors(): readonly Sensor[];
  change(sensors: readonly Sensor[], moving: boolean): void;
  /** The value at which a sensor begins that is not set by a click. */
  start(): number;
  say(text: string): void;
}

export class SensorHandles {
  /** Whether one is held by a pointer. */
  held = false;
  private readonly buttons: HTMLButtonElement[] = [];

  constructor(
    private readonly chart: Chart,
    private readonly field: FieldName,
    private readonly host: Host,
  ) {
    chart.host.classList.add("measurable");
    chart.moved = () => this.show();
    chart.host.querySelector("svg")!.addEventListener("click", (event) => {
      if (chart.holds(event)) this.add(this.at(event));
    });
  }

  /** Adds a sensor, by default in the middle, and hands it the keyboard. */
  add({ x, value }: Pick<Sensor, "x" | "value"> = { x: 50, value: this.host.start() }): void {
    const sensors = this.host.sensors();
    if (sensors.length >= MOST_SENSORS) {
      this.host.say(`There are ${MOST_SENSORS} sensors already: remove one first.`);
      return;
    }
    this.host.change([...sensors, this.rounded(x, value)], false);
    this.buttons.at(-1)!.focus();
  }

  /** Puts the buttons where the settings say that sensors are. */
  show(): void {
    const own = this.own();
    while (this.buttons.length > own.length) this.buttons.pop()!.remove();
    while (this.buttons.length < own.length) this.buttons.push(this.button(this.buttons.length));
    own.forEach(({ sensor }, k) => {
      const { left, top } = this.chart.pixel(sensor);
      Object.assign(this.buttons[k].style, { left: `${left}px`, top: `${top}px` });
      this.buttons[k].setAttribute(
        "aria-label",
        `Sensor, ${spoken(sensor)}. Arrow keys move it, Delete removes it.`,
      );
    });
  }

  /** This figure's sensors, with their place among all. */
  private own(): { readonly sensor: Sensor; readonly index: number }[] {
    const all = this.host.sensors().map((sensor, index) => ({ sensor, index }));
    return all.filter(({ sensor }) => sensor.field === this.field);
  }

  private button(k: number): HTMLButtonElement {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "sensor" });
    button.addEventListener("pointerdown", (event) => {
      button.setPointerCapture(event.pointerId);
      this.held = true;
    });
    button.addEventListener("pointermove", (event) => {
      if (this.held && button.hasPointerCapture(event.pointerId)) this.move(k, this.at(event), true);
    });
    for (const end of ["pointerup", "pointercancel"] as const)
      button.addEventListener(end, () => {
        if (!this.held) return;
        this.held = false;
        this.move(k, this.own()[k].sensor, false);
      });
    button.addEventListener("keydown", (event) => this.key(k, event));
    this.chart.host.append(button);
    return button;
  }

  private key(k: number, event: KeyboardEvent): void {
    const { sensor, index } = this.own()[k];
    const { x, value } = sensor;
    const far = event.shiftKey ? 10 : 1;
    const step = 2 * far * this.chart.step;
    const moves: Readonly<Record<string, Pick<Sensor, "x" | "value">>> = {
      ArrowLeft: { x: x - far, value },
      ArrowRight: { x: x + far, value },
      ArrowUp: { x, value: value + step },
      ArrowDown: { x, value: value - step },
    };
    if (event.key === "Delete" || event.key === "Backspace") {
      this.host.change(
        this.host.sensors().filter((_, i) => i !== index),
        false,
      );
      (this.buttons.at(-1) ?? this.chart.host.parentElement!.querySelector<HTMLElement>(".add"))?.focus();
      this.host.say("The sensor is removed.");
    } else if (moves[event.key]) {
      this.move(k, moves[event.key], false);
      this.host.say(spoken(this.own()[k].sensor));
    } else return;
    event.preventDefault();
  }

  private move(k: number, { x, value }: Pick<Sensor, "x" | "value">, moving: boolean): void {
    const { index } = this.own()[k];
    const moved = this.rounded(x, value);
    this.host.change(
      this.host.sensors().map((sensor, i) => (i === index ? moved : sensor)),
      moving,
    );
  }

  private rounded(x: number, value: number): Sensor {
    const digits = 10 ** DECIMALS[this.field];
    return {
      field: this.field,
      x: clamp(Math.round(10 * x) / 10, 0, 100),
      value: Math.round(value * digits) / digits,
    };
  }

  private at(event: MouseEvent): Pick<Sensor, "x" | "value"> {
    return this.chart.place(event);
  }
}
