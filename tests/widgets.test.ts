/** Live controls, in the kernel as two front ends see it, and without any. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { before, test } from "node:test";
import fc from "fast-check";
import { InputError } from "../lib/backend/errors";
import type { Host, Widget } from "../lib/notebook/host";
import { choice, integer, logSlider, row, slider, toggle } from "../lib/notebook/widgets";
import { deadline } from "./processes";

const { python, environment, root } = require("../scripts/environment") as {
  python: string;
  environment: (base?: NodeJS.ProcessEnv) => NodeJS.ProcessEnv;
  root: string;
};

/** What a front end may send, and much that none does. */
const message = fc.tuple(
  fc.nat(1),
  fc.oneof(
    fc.tuple(
      fc.constant("value"),
      fc.oneof(fc.double({ min: 1e-5, max: 1, noNaN: true }), fc.constantFrom(null, "x", -1, 2, [], {})),
    ),
    fc.tuple(
      fc.constant("comm_msg"),
      fc.constantFrom<object>(
        {},
        { data: {} },
        { data: { method: "request_state" } },
        { data: { method: "update" } },
        { data: { method: "update", state: { _model_name: "Other", nothing: 1 } } },
        { data: { method: "custom", content: {} } },
        { comm_id: "gone", data: { method: "update", state: { value: 1 } } },
      ),
    ),
    fc.tuple(fc.constant("comm_open"), fc.constant({ comm_id: "x", target_name: "y", data: {} })),
    fc.tuple(fc.constant("comm_close"), fc.constant({ comm_id: "gone", data: {} })),
  ),
);
const runs = fc
  .sample(fc.array(message, { minLength: 1, maxLength: 12 }), { seed: 1, numRuns: 12 })
  .map((messages) => messages.map(([client, [kind, content]]) => [client, kind, content]));

interface Report {
  [name: string]: unknown;
  runs: Record<string, unknown>[];
  many: [number, number][];
  shown: Record<string, unknown>[];
}
let report: Report;
before(() => {
  const result = spawnSync(python, [path.join("tests", "widgets.py")], {
    cwd: root,
    encoding: "utf8",
    env: environment(),
    input: JSON.stringify(runs),
    ...deadline(600),
  });
  assert.equal(result.status, 0, `${result.stdout}${result.stderr}`);
  assert.doesNotMatch(result.stderr, /unknown msg_type/);
  report = JSON.parse(result.stdout.trim().split("\n").pop()!) as Report;
});

const VIEW = "application/vnd.jupyter.widget-view+json";

test("widgets are opened and shown by the cell that makes them", () => {
  const { parents, models, shown, root: box } = report;
  assert.equal(parents, true);
  for (const name of ["FloatLogSliderModel", "ButtonModel", "VBoxModel", "SliderStyleModel"])
    assert.ok((models as string[]).includes(name), name);
  assert.equal(shown.length, 1);
  assert.equal((shown[0][VIEW] as { model_id: string }).model_id, box);
  assert.equal(shown[0]["text/plain"], "rate (1/s): 0.001");
});

test("without a front end they are lines of text, no message asks for one, and a loop runs once", () => {
  const text = { "text/plain": "rate (1/s): 0.001" };
  assert.deepEqual(report["alone"], ["0.001\n", [text], []]);
});

test("a page that is loaded finds the open ones; others are closed", () => {
  assert.deepEqual(report["info"], ["comm_info_reply", true]);
  assert.deepEqual(report["states"], [true, 0.001]);
  assert.deepEqual(report["unknown"], [{ comm_id: "none", data: {} }]);
});

test("of random messages of two front ends both hear the same, and the newest allowed value counts", () => {
  const expected = {
    same: true,
    last: 0.5,
    own: true,
    printed: ["now 0.5"],
    parents: true,
    other: ["stdout"],
  };
  assert.equal(report.runs.length, runs.length);
  for (const [i, run] of report.runs.entries()) assert.deepEqual(run, expected, JSON.stringify(runs[i]));
});

test("of hundreds of messages at once a few reach a listener, the newest among them", () => {
  assert.equal(report.many.length, 3);
  for (const [value, calls] of report.many) {
    assert.ok(Math.abs(value - (0.1 + 899 / 10000)) < 1e-9);
    assert.ok(calls >= 1 && calls < 300, `${calls} calls`);
  }
});

test("a callback that throws is shown below its cell and ends nothing", () => {
  assert.deepEqual(report["presses"], [
    [["Error: Error: as wanted"], true, ""],
    [[], true, "pressed 2\n"],
  ]);
});

test("a cell that awaits hears what is moved, and what it sets is told", () => {
  assert.match(String(report["loop"]), /^(now 0\.01\n)?\[0\.01\]\n/);
  assert.deepEqual(report["set"], [{ method: "update", state: { value: 0.02 }, buffer_paths: [] }]);
  assert.match(String(report["refused"]), /^rate \(1\/s\) cannot be 7; give a value of its range\.\n$/);
});

test("bad ranges and values are refused in a sentence", () => {
  const range = { label: "l", unit: "m", min: 0, max: 1 };
  const cases: [() => unknown, RegExp][] = [
    [() => slider({ ...range, max: 0 }), /^The range of l \(m\) is 0 to 0; give a min below max\.$/],
    [() => slider({ ...range, value: 2 }), /^value of l \(m\) is 2; give a number from 0 to 1 m\.$/],
    [() => slider({ ...range, step: 0 }), /^step of l \(m\) is 0; give a positive number\.$/],
    [() => logSlider(range), /^min of l \(m\) is 0; give a positive number\.$/],
    [() => integer({ ...range, max: 1.5 }), /^max of l \(m\) is 1\.5; give a whole number/],
    [
      () => choice({ label: "a", options: ["b", "c"], value: "d" as "b" }),
      /^value of a is "d"; give one of b, c\.$/,
    ],
  ];
  for (const [make, sentence] of cases)
    assert.throws(make, (error: Error) => error instanceof InputError && sentence.test(error.message));
});

/** Makes a control for a front end of ours: what its widget was made with, and how to move it. */
function hosted<T>(make: () => T): {
  control: T;
  state: Readonly<Record<string, unknown>>;
  tell: (changes: object) => unknown;
} {
  const symbol = Symbol.for("porous-sgm.widgets");
  const hosts = globalThis as unknown as Record<symbol, Host | undefined>;
  let tell: Parameters<Widget["listen"]>[0] = () => undefined;
  let made: object = {};
  const create = (_: string, state: object): Widget => {
    made = state;
    return {
      state: state as Widget["state"],
      set: (more) => void Object.assign(state, more),
      listen: (listener) => void (tell = listener),
      show: () => undefined,
    };
  };
  hosts[symbol] = { present: () => true, create, onInterrupt: () => () => undefined };
  try {
    return {
      control: make(),
      state: { ...made },
      tell: (changes) => tell(changes as Record<string, unknown>, 0),
    };
  } finally {
    hosts[symbol] = undefined;
  }
}

test("any host will do; the last digits of a value that went through a logarithm are no change", async () => {
  const { control: rate, tell } = hosted(() =>
    logSlider({ label: "rate", min: 2e-5, max: 2e-2, value: 2e-3 }),
  );
  const heard: number[] = [];
  rate.onChange((value) => heard.push(value));
  for (const value of [0.0020000000000000018, 0.0019999999999999983, 3e-3]) await tell({ value });
  assert.deepEqual(heard, [3e-3]);
});

test("a value at the start is a whole number of steps from the left end, which no front end moves", () => {
  for (const value of [2e-6, 2.3e-6, 7e-6, 1e-5, 2e-5]) {
    for (const [make, scale] of [
      [slider, (x: number) => x],
      [logSlider, Math.log10],
    ] as const) {
      const { state } = hosted(() => make({ label: "l", unit: "m", min: 2e-6, max: 2e-5, value }));
      const [min, step] = [state["min"] as number, state["step"] as number];
      const steps = (scale(value) - min) / step;
      assert.ok(Math.abs(steps - Math.round(steps)) < 1e-6, `${value}: ${steps} steps`);
      assert.equal(state["value"], value);
    }
  }
});

test("in plain Node a control holds what it is set to", async () => {
  const on = toggle({ label: "on" });
  row(on);
  const heard: boolean[] = [];
  const listen = (value: boolean) => heard.push(value);
  assert.equal(on.onChange(listen), undefined); // a cell that ends with it shows nothing
  on.value = true;
  on.offChange(listen);
  on.value = false;
  assert.deepEqual(heard, [true]);
  for await (const value of on) assert.equal(value, false);
});
