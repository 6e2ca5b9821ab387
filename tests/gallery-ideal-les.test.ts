import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { normal, tf } from "../lib/backend/tensors";
import { paths } from "../lib/gallery/diffusion";
import { Fourier } from "../lib/gallery/fourier";
import { ConvolutionalClosure, IdealClosure } from "../lib/gallery/ideal-les/closures";
import { CoarseFlow } from "../lib/gallery/ideal-les/coarse";
import { filtered, KolmogorovFlow, physics, type Spectrum } from "../lib/gallery/ideal-les/flow";
import { LatentSde } from "../lib/gallery/ideal-les/latentSde";
import { fitLinear } from "../lib/gallery/ideal-les/linearClosure";
import { interval, loss, simulate, startWeights, train } from "../lib/gallery/ideal-les/method";
import { shortSimulation, training, worstShells } from "../lib/gallery/ideal-les/run";
import { shellRatios, statisticsOf } from "../lib/gallery/ideal-les/statistics";
import { closures, storedClosures, storedReference, unpacked } from "../lib/gallery/ideal-les/stored";
import { idealSlope, linearSystem, stationaryCovariance } from "../lib/gallery/ideal-les/system";
import { Random } from "../lib/random";
import { idealSlopeOf, klRate } from "../notebooks/support/gallery-3/exercises";

const largest = (values: ArrayLike<number>) =>
  Array.from(values).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
const difference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  largest(Array.from(a, (value, i) => value - b[i]));
const dns = new KolmogorovFlow(64);
const les = new KolmogorovFlow(24);
/** A state in which all wavenumbers have got some energy. */
const developed = dns.advance(dns.start(1), 0.02, 250);
const coarse = new CoarseFlow(24);
const small = { latent: 2, hidden: 4, steps: 3, encoder: 3, decoder: 2 };

test("the transform is the sum that defines it, of all radices, and its inverse leads back", () => {
  for (const n of [6, 24, 64]) {
    const random = new Random(1, n);
    const [re, im] = [0, 1].map(() => random.fillNormal(new Float64Array(n * n)));
    const [a, b] = [re.slice(), im.slice()];
    const fourier = new Fourier(n);
    fourier.forward(a, b);
    for (const [k, l] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [n - 1, 2],
      [n / 2, n - 3],
    ]) {
      let [x, y] = [0, 0];
      re.forEach((value, at) => {
        const angle = (-2 * Math.PI * (Math.floor(at / n) * k + (at % n) * l)) / n;
        x += (value * Math.cos(angle) - im[at] * Math.sin(angle)) / n ** 2;
        y += (value * Math.sin(angle) + im[at] * Math.cos(angle)) / n ** 2;
      });
      assert.ok(Math.hypot(a[k * n + l] - x, b[k * n + l] - y) < 1e-14, `n = ${n}, (${k}, ${l})`);
    }
    fourier.inverse(a, b);
    assert.ok(difference(a, re) < 1e-13 && difference(b, im) < 1e-13);
  }
  assert.throws(() => new Fourier(10), /10 points is not possible; give a number 2\^a 3\^b/);
});

test("flow: steps are of fourth order, and the laminar flow stands still", () => {
  const at = (dt: number) => dns.advance(developed, dt, Math.round(0.2 / dt)).re;
  const [a, b, exact] = [0.02, 0.01, 0.005].map(at);
  const order = Math.log2(difference(a, exact) / difference(b, exact));
  assert.ok(order > 3.7 && order < 4.8, `order ${order}`);
  const laminar = dns.zero();
  const { viscosity, drag, forcing, forcingWavenumber: k } = physics;
  const amplitude = (-forcing * k) / (viscosity * k * k + drag);
  laminar.re[k] = laminar.re[64 - k] = amplitude / 2;
  const after = dns.advance(laminar, 0.01, 50); // before round-off grows
  assert.ok(difference(after.re, laminar.re) < 1e-6 * Math.abs(amplitude));
  assert.throws(() => new KolmogorovFlow(12), /wavenumber 4; with 12 points give at most 3/);
});

test("flow: products keep energy and enstrophy, and energy changes at the rate of force, viscosity and drag", () => {
  const n = dns.nonlinear(developed);
  let [energy, enstrophy] = [0, 0];
  n.re.forEach((value, at) => {
    const force = at === 4 || at === 60 ? physics.forcing * 2 : 0; // what the force adds is taken away again
    const rate = developed.re[at] * (value + force) + developed.im[at] * n.im[at];
    enstrophy += rate;
    if (at > 0) energy += rate / dns.squares[at];
  });
  assert.ok(Math.abs(energy) < 1e-13 && Math.abs(enstrophy) < 1e-12, `${energy}, ${enstrophy}`);
  const h = 1e-3;
  const [before, after] = [-h, h].map((dt) => dns.balance(dns.advance(developed, dt)).energy);
  const { rate } = dns.balance(developed);
  assert.ok(Math.abs((after - before) / (2 * h) / rate - 1) < 1e-4);
});

test("flow: no product is aliased, so that more points change nothing", () => {
  const coarseState = filtered(developed, dns, les);
  const fine = new KolmogorovFlow(48);
  const wide = fine.nonlinear(filtered(coarseState, les, fine));
  const own = les.nonlinear(coarseState);
  const back = filtered(wide, fine, les);
  assert.ok(difference(own.re, back.re) < 1e-13 && difference(own.im, back.im) < 1e-13);
  // The filter keeps the large scales: the shells' energies of what is kept are the same.
  const [all, kept] = [dns.shells(developed), les.shells(coarseState)];
  assert.ok(difference(all.subarray(0, 8), kept.subarray(0, 8)) < 1e-15);
});

test("flow: twins that differ by 1e-6 part", () => {
  const flow = new KolmogorovFlow(32); // as chaotic as 64, and a quarter of the work
  const start = flow.advance(filtered(developed, dns, flow), 0.02, 500);
  const twin: Spectrum = { re: start.re.slice(), im: start.im.slice() };
  twin.re[1] += 5e-7;
  twin.re[31] += 5e-7;
  const ends = [start, twin].map((state) => flow.values(flow.advance(state, 0.02, 600)));
  const apart = difference(ends[0], ends[1]);
  assert.ok(apart > 1e-4, `${apart}`);
});

test("flow: the same as exponax's, by number at an early time, by spectrum later", () => {
  interface Peer {
    readonly early: { readonly modes: readonly { kx: number; ky: number; re: number; im: number }[] };
    readonly shells: { readonly energy: readonly number[]; readonly standardError: readonly number[] };
  }
  const file = path.join(__dirname, "..", "data", "results", "gallery-flow-peer.json");
  const { early, shells } = JSON.parse(readFileSync(file, "utf8")) as Peer;
  // 96 points a side: so many that it does not matter which of the large wavenumbers a program keeps.
  const n = 96;
  const start = Float64Array.from({ length: n * n }, (_, at) => {
    const [x, y] = [Math.floor(at / n), at % n].map((k) => (2 * Math.PI * k) / n);
    return 3 * Math.cos(2 * x + y) + 2 * Math.sin(x - 3 * y) + 1.5 * Math.cos(3 * x) * Math.sin(2 * y);
  });
  const fine = new KolmogorovFlow(n);
  const { re, im } = fine.advance(fine.spectrum(start), 0.01, 100);
  for (const { kx, ky, ...theirs } of early.modes) {
    const at = kx * n + ((ky + n) % n);
    const off = Math.hypot(re[at] - theirs.re, im[at] - theirs.im);
    assert.ok(off < 1e-7, `(${kx}, ${ky}): ${re[at]}, ${theirs.re}`);
  }
  // Both are means over a few simulations; their scatter tells how well they can agree.
  const ours = storedReference().shells;
  shells.energy.forEach((energy, k) => {
    const values = ours.map((own) => own[k]);
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance =
      values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length * (values.length - 1));
    const error = Math.sqrt(variance + shells.standardError[k] ** 2);
    assert.ok(
      Math.abs(energy - mean) < 4 * error,
      `shell ${k + 1}: ${mean}, and ${energy} by exponax, +- ${error}`,
    );
  });
});

test("coarse flow: transforms, tendency and steps are those of the typed arrays, in single precision", () => {
  const state = filtered(developed, dns, les);
  const values = les.values(state);
  tf.tidy(() => {
    const fields = tf.tensor3d(Float32Array.from([...values, ...values.map((v) => 2 * v)]), [2, 24, 24]);
    const w = coarse.coefficients(fields);
    const first = (x: typeof w) => x.slice([0], [1]).dataSync();
    assert.ok(difference(first(coarse.fields(w)), values) < 1e-5 * largest(values));
    const rate = les.values(les.nonlinear(state));
    assert.ok(difference(first(coarse.fields(coarse.tendency(w))), rate) < 1e-5 * largest(rate));
    const ends = les.values(les.advance(state, 0.05, 4));
    assert.ok(difference(first(coarse.fields(coarse.advance(w, 0.05, 4))), ends) < 1e-5 * largest(ends));
    // A constant closure adds what it says: a rate of 1 in one coefficient, over a time too short for anything else.
    const push = tf
      .oneHot(tf.tensor1d([7], "int32"), 225)
      .toFloat()
      .reshape([1, 15, 15]);
    const moved = coarse
      .advance(w, 1e-2, 1, push)
      .sub(coarse.advance(w, 1e-2, 1))
      .dataSync();
    assert.ok(Math.abs(moved[7] - 1e-2) < 1e-4 && largest(moved.filter((_, k) => k % 225 !== 7)) < 2e-3);
  });
});

test("latent SDE: paths and their cost are those of the closed form where both drifts are constant", () => {
  const sde = new LatentSde({ latent: 2, hidden: 1, steps: 4 });
  tf.tidy(() => {
    const weights = new Float32Array(sde.size);
    const drift = (sde.size - 4) / 2;
    weights[drift - 2] = 0.6; // h_phi = (0.6, 0), h_theta = 0; g = sigmoid((0, -1))
    weights[sde.size - 1] = -1;
    const noise = Array.from({ length: 5 }, (_, k) => tf.tensor2d([0.3 * k, -0.2], [1, 2]));
    const { z, kl } = sde.paths(
      tf.tensor1d(weights),
      tf.tensor2d([[1, 0]]),
      tf.tensor2d([[Math.log(0.5), 0]]),
      noise,
    );
    const g = [0.5, 1 / (1 + Math.E)];
    const ends = [1 + 0.6 + g[0] * 0.5 * (0.3 + 0.6 + 0.9 + 1.2), -0.2 + g[1] * 0.5 * 4 * -0.2];
    assert.ok(difference(z.dataSync(), ends) < 1e-6, `${z.dataSync().join()} and ${ends.join()}`);
    const start = 0.5 * (1 + 0.25 - 2 * Math.log(0.5) - 1);
    assert.ok(Math.abs(kl.dataSync()[0] - (start + 0.5 * (0.6 / g[0]) ** 2)) < 1e-5);
  });
});

test("closures move with the field, and paths are averaged", () => {
  tf.tidy(() => {
    const v = normal([2, 24, 24], 1);
    const rolled = (x: typeof v, by: number) => {
      const [first, last] = tf.split(x, [24 - by, by], 1);
      return tf.concat([last, first], 1);
    };
    const plain = new ConvolutionalClosure([1, 3, 1]);
    const ideal = new IdealClosure(24, small);
    const own = tf.tensor1d(plain.start(new Random(1)));
    const weights = tf.tensor1d(ideal.start(new Random(1)));
    const still = tf.zeros(ideal.noiseShape(2, 1));
    const cases = [
      [1, (x: typeof v) => plain.apply(own, x).closure],
      [2, (x: typeof v) => ideal.apply(weights, x, still).closure],
    ] as const;
    for (const [by, closure] of cases) {
      const [a, b] = [rolled(closure(v), by), closure(rolled(v, by))].map((x) => x.dataSync());
      assert.ok(difference(a, b) < 1e-5 * largest(a), "a closure has a place of its own");
    }
    const noise = normal(ideal.noiseShape(2, 3), 2);
    const each = tf.split(noise, 3, 1).map((one) => ideal.apply(weights, v, one));
    const all = ideal.apply(weights, v, noise);
    const mean = (of: (one: (typeof each)[number]) => typeof v) => tf.addN(each.map(of)).div(3).dataSync();
    assert.ok(
      difference(
        all.closure.dataSync(),
        mean(({ closure }) => closure),
      ) < 1e-5,
    );
    assert.ok(
      difference(
        all.kl.dataSync(),
        mean(({ kl }) => kl),
      ) < 1e-3,
    );
  });
});

test("loss: its gradient through two intervals is that of differences, and without misfit only its constants are left", () => {
  const closure = new IdealClosure(24, small);
  tf.tidy(() => {
    const all = tf.tensor1d(startWeights(closure, coarse, 1));
    const state = filtered(developed, dns, les);
    const snapshots = [0, 1, 2].map((k) => les.values(les.advance(state, 0.05, 2 * k)));
    const fields = tf.tensor(Float32Array.from(snapshots.flatMap((own) => [...own])), [1, 3, 24, 24]);
    const noise = normal([2, ...closure.noiseShape(1, 2)], 1);
    const batch = { fields, beta: tf.scalar(0.1), noise };
    const value = (w: typeof all) => loss(coarse, closure, w, batch);
    const gradient = tf.grad((w) => value(w as typeof all))(all);
    const direction = normal([all.size], 3) as typeof all;
    const h = 2e-3;
    const [up, down] = [h, -h].map((s) => value(all.add(direction.mul(s))).dataSync()[0]);
    const slope = gradient.mul(direction).sum().dataSync()[0];
    assert.ok(Math.abs((up - down) / (2 * h) / slope - 1) < 0.02, `${(up - down) / (2 * h)} and ${slope}`);
    // The large-eddy simulation's own steps need no closure.
    const none = {
      size: 0,
      start: () => new Float32Array(),
      apply: () => ({ closure: tf.zeros([1, 24, 24]) }),
    };
    const logs = tf.fill([11], -3) as typeof all;
    const exact = loss(coarse, none, logs, { fields, beta: tf.scalar(0) }).dataSync()[0];
    assert.ok(Math.abs(exact + 3 * 225) < 0.01, `${exact}`);
  });
});

test("linear system: covariance by Lyapunov's equation, and the learned closure has the ideal slope", () => {
  const c = stationaryCovariance();
  assert.ok(difference([...c.to1DArray(), idealSlope()], [2 / 15, 1 / 15, 1 / 15, 7 / 30, 0.5]) < 1e-12);
  let cloud = new Float64Array(2 * 4000);
  for (const x of paths(linearSystem, cloud, { endTime: 10, steps: 400, seed: 1 })) cloud = x as typeof cloud;
  const simulated = [0, 1, 2].map((part) => {
    const [i, j] = [part >> 1, (part + 1) >> 1];
    return cloud.reduce((sum, own, k) => (k % 2 === i ? sum + own * cloud[k - i + j] : sum), 0) / 4000;
  });
  assert.ok(difference(simulated, [2 / 15, 1 / 15, 7 / 30]) < 0.02, simulated.join());
  const { slope, kl, noise } = fitLinear({ steps: 200, batch: 512, paths: 4, beta: 3e-4, seed: 1 });
  assert.ok(Math.abs(slope - 0.5) < 0.03, `slope ${slope}`);
  assert.ok(kl > 0 && noise > 0.01, "the latent paths have become deterministic");
});

test("a training lowers the loss and can be repeated, and its closure runs", () => {
  const data = shortSimulation(3, 2);
  const closure = new IdealClosure(24, small);
  const settings = { ...training, batch: 4, paths: 2, steps: 12, seed: 3 };
  const run = () => {
    const losses: number[] = [];
    const steps = train(coarse, closure, startWeights(closure, coarse, 3), [data], settings);
    let next = steps.next();
    for (; !next.done; next = steps.next()) losses.push(next.value as number);
    return { losses, weights: next.value as Float32Array };
  };
  const [a, b] = [run(), run()];
  assert.ok(difference(a.weights, b.weights) < 1e-5);
  assert.ok(a.losses[11] < a.losses[0] - 5, `${a.losses[0]} to ${a.losses[11]}`);
  const own = { intervals: 3, paths: 2, seed: 1 };
  const ends = Array.from(simulate(coarse, closure, a.weights, data.slice(0, 1152), own));
  assert.equal(ends.length, 3);
  // The first interval is the one that the method's function makes.
  const expected = tf.tidy(() => {
    const w = coarse.coefficients(tf.tensor3d(data.slice(0, 1152), [2, 24, 24]));
    const weights = tf.tensor1d(a.weights.slice(0, closure.size));
    const noise = normal(closure.noiseShape(2, 2), 1, 3, 0);
    return coarse.fields(interval(coarse, closure, weights, w, noise).w).dataSync();
  });
  assert.ok(difference(ends[0], expected) < 1e-4 * largest(expected));
});

test("statistics: what comes with the project is whole, and a simulation that blows up is seen", () => {
  const reference = storedReference();
  assert.deepEqual([reference.shells.length, reference.features.length], [8, 8 * 41]);
  assert.deepEqual(shellRatios(reference.shells, reference), new Array(10).fill(1));
  const starts = unpacked(reference.starts);
  assert.equal(starts.length, 8 * 576);
  const stored = storedClosures();
  const { convolution, quiet, ideal } = closures();
  assert.ok(Math.abs(convolution.size / ideal.size - 1) < 0.05, "the two are of equal size");
  for (const [closure, text] of [
    [convolution, stored.convolution],
    [quiet, stored.quiet],
    [ideal, stored.ideal],
  ] as const) {
    assert.equal(unpacked(text).length, startWeights(closure, coarse, 1).length);
    const run = simulate(coarse, closure, unpacked(text), starts.slice(0, 576), {
      intervals: 20,
      paths: 2,
      seed: 1,
    });
    const { flows, blownUp } = statisticsOf(run, 0);
    assert.ok(blownUp === undefined && flows.length === 1);
  }
  const wild = [new Float32Array(576), new Float32Array(576).fill(NaN)];
  assert.ok(Math.abs(statisticsOf(wild, 0).blownUp! - 0.2) < 1e-9);
  assert.deepEqual(worstShells([0.9, 1, 1.3, 1, 2, 1, 3, 9]), { high: 3, low: 0.30000000000000004 });
});

test("exercises: the answers pass, and the likely mistakes are named", async () => {
  assert.equal(await idealSlopeOf.fault((vv, vw) => vw / vv), undefined);
  assert.match(String(await idealSlopeOf.fault((_, vw, ww) => vw / ww)), /regression of v on w/);
  assert.equal(await klRate.fault((p, q, g) => 0.5 * ((p - q) / g) ** 2), undefined);
  assert.match(String(await klRate.fault((p, q, g) => 0.5 * ((p - q) * g) ** 2)), /divided/);
});
