import assert from "node:assert/strict";
import { test } from "node:test";
import { breakEvenPrice, samplesNeeded } from "../notebooks/support/18/exercises";
import { riskFigure } from "../notebooks/support/18/riskFigure";
import { darcyMoments } from "../notebooks/support/19/darcyMoments";
import { heldOutExperiments, meanHead } from "../notebooks/support/19/exercises";

test("18.1 and 18.2: right answers are accepted, usual slips told", () => {
  assert.equal(
    samplesNeeded.fault((p, r) => (1 - p) / (p * r * r)),
    undefined,
  );
  assert.equal(
    samplesNeeded.fault((p, r) => Math.ceil((1 - p) / (p * r * r))),
    undefined,
  );
  assert.match(String(samplesNeeded.fault((p, r) => (p * (1 - p)) / r ** 2)), /it is a share of p/);
  assert.match(String(samplesNeeded.fault((_, r) => 1 / r ** 2)), /only the share p hits/);
  assert.match(String(samplesNeeded.fault((p, r) => (1 - p) / (p * r))), /enters squared/);
  type Costs = Parameters<Parameters<typeof breakEvenPrice.fault>[0]>[0];
  const price = ({ N, D, T, s, t }: Costs) => (N > D ? (T + N * t) / ((N - D) * s) : Infinity);
  assert.equal(breakEvenPrice.fault(price), undefined);
  assert.match(
    String(breakEvenPrice.fault(({ N, T, s, t }) => (T + N * t) / (N * s))),
    /training data are solves/,
  );
  assert.match(String(breakEvenPrice.fault(({ N, D, T, s }) => T / ((N - D) * s))), /takes its time t/);
  assert.match(
    String(breakEvenPrice.fault(({ N, D, T, s, t }) => (T + N * t) / ((N - D) * s))),
    /For N = 10 .* never pays there, return Infinity/,
  );
});

test("19.1 and 19.2: right answers are accepted, usual slips told", () => {
  const mean = (x: number, f: number, sigma: number) => ((f * (1 - x * x)) / 2) * Math.exp(sigma ** 2 / 2);
  assert.equal(meanHead.fault(mean), undefined);
  assert.match(String(meanHead.fault((x, f) => mean(x, f, 0))), /even sand/);
  assert.match(String(meanHead.fault((x, f, s) => mean(x, f, 0) * Math.exp(-s * s / 2))), /it is larger/); // prettier-ignore
  assert.match(String(meanHead.fault((x, f, s) => 2 * mean(x, f, s))), /the integral of s/);
  const whole = (labels: string[], share: number) => {
    const held = new Set<string>();
    let count = 0;
    for (const label of new Set(labels)) {
      if (count >= share * labels.length) break;
      held.add(label);
      count += labels.filter((other) => other === label).length;
    }
    return labels.map((label) => held.has(label));
  };
  assert.equal(heldOutExperiments.fault(whole), undefined);
  const torn = (labels: string[], share: number) => labels.map((_, row) => row < share * labels.length);
  assert.match(String(heldOutExperiments.fault(torn)), /is torn apart/);
  assert.match(String(heldOutExperiments.fault((labels) => labels.map(() => false))), /No row is held out/);
  assert.match(String(heldOutExperiments.fault((labels) => labels.map(() => true))), /All rows are held out/);
  assert.match(String(heldOutExperiments.fault((labels) => whole(labels, 0.8))), /are asked for/);
});

test("moments of the head are the integrals' limits: of even sand, and of a correlation over all of the column", () => {
  const x = [0, 0.4, 0.9];
  const small = darcyMoments(x, 1e-4, 2, 0.1);
  small.mean.forEach((value, i) => assert.ok(Math.abs(value - (1 - x[i] ** 2)) < 1e-7));
  // One factor for the whole column: the head is h0 exp(-sigma g), of log-normal moments.
  const [sigma, f] = [0.7, 1];
  const { mean, std } = darcyMoments(x, sigma, f, 1e4);
  x.forEach((at, i) => {
    const head = (f * (1 - at * at)) / 2;
    assert.ok(Math.abs(mean[i] - head * Math.exp(sigma ** 2 / 2)) < 1e-12);
    const exact = head * Math.exp(sigma ** 2 / 2) * Math.sqrt(Math.expm1(sigma ** 2));
    assert.ok(Math.abs(std[i] / exact - 1) < 1e-5, `${std[i]} ${exact}`);
  });
});

test("a figure of risks has the solver's intervals as bars and the model's as bands, in per cent", () => {
  const interval = { p: 0.02, low: 0.01, high: 0.04 };
  const curve = [25, 50].map((value) => ({ value, model: interval, solver: interval }));
  const { data } = riskFigure(["one"], [{ title: "a", x: "F (A/m²)", curves: [curve] }]) as unknown as {
    data: { name?: string; y: number[]; error_y?: { array: number[]; arrayminus: number[] } }[];
  };
  const solver = data.find(({ name }) => name === "one, solver")!;
  assert.deepEqual([...solver.y], [2, 2]);
  assert.deepEqual([solver.error_y!.array, solver.error_y!.arrayminus], [[2, 2], [1, 1]]); // prettier-ignore
  assert.ok(data.some(({ name }) => name === "one, model") && data.length >= 3);
});
