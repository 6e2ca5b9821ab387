/** Exercises of notebook 16: flow matching. */
import { InputError } from "../../../lib/backend/errors";
import { type Exercise, numberFault } from "../../../lib/notebook/check";
import { Random } from "../../../lib/random";

/** The velocity E[z - x_0 | x_r] from x_r, the denoised state and r. */
export const velocityOfDenoised: Exercise<(x: number, denoised: number, r: number) => number> = {
  number: "16.1",
  fault(answer) {
    for (const r of [0.2, 0.7]) {
      for (const [x, denoised] of [
        [0.5, -0.8],
        [-1.2, 0.3],
      ]) {
        const fault = numberFault(answer(x, denoised, r), (x - denoised) / r, 1e-9, [
          [x - denoised, "The way from x₀ to x_r has taken the time r: the difference is divided by r."],
          [(x - (1 - r) * denoised) / r, "That is the noise z; the velocity is z − x₀."],
          [(x - denoised) / (1 - r), "Divide by r, the time since x₀, not by 1 − r."],
        ]);
        if (fault) return `At x = ${x}, D = ${denoised}, r = ${r}: ${fault}`;
      }
    }
    return undefined;
  },
};

/** Velocities of points at r, one number a point. */
export type VelocityOf = (x: Float64Array, r: number) => Float64Array;

/** Takes points from noise, r = 1, to data, r = 0, in equal steps of Euler's method. */
export type FlowRun = (start: Float64Array, velocity: VelocityOf, steps: number) => Float64Array;

/** A run of the flow's ODE, judged by mean and variance of what it makes of Gaussian data. */
export const flowRun: Exercise<FlowRun> = {
  number: "16.2",
  fault(answer) {
    const [points, steps, mean, lambda] = [2000, 400, 0.5, 0.25];
    const velocity: VelocityOf = (x, r) => {
      const gain = (r - (1 - r) * lambda) / ((1 - r) ** 2 * lambda + r * r);
      return x.map((value) => gain * (value - (1 - r) * mean) - mean);
    };
    const start = new Random(162).fillNormal(new Float64Array(points));
    const end = answer(start.slice(), velocity, steps);
    if (end?.length !== points)
      throw new InputError(`The run returns ${end?.length ?? "no"} points of ${points}.`);
    // The flow of Gaussian data is affine: judged by offset and gain, which are free of the scatter of the starts.
    const average = (x: Float64Array) => x.reduce((sum, value) => sum + value, 0) / points;
    const [before, after] = [average(start), average(end)];
    const slope =
      start.reduce((sum, value, i) => sum + (value - before) * (end[i] - after), 0) /
      start.reduce((sum, value) => sum + (value - before) ** 2, 0);
    const [found, offset] = [slope * slope, after - slope * before];
    const exact = { found: lambda, offset: mean };
    const run = (of: (k: number) => { r: number; h: number }) => {
      let [zero, one] = [0, 1];
      for (let k = 0; k < steps; k++) {
        const { r, h } = of(k);
        const u = velocity(Float64Array.of(zero, one), r);
        [zero, one] = [zero + h * u[0], one + h * u[1]];
      }
      return { found: (one - zero) ** 2, offset: zero };
    };
    const h = 1 / steps;
    const near = (other: { found: number; offset: number }, tolerance: number) =>
      Math.abs(found - other.found) <= tolerance * other.found &&
      Math.abs(offset - other.offset) <= tolerance;
    if (near(exact, 0.03)) return undefined;
    const mistakes = [
      [
        run((k) => ({ r: 1 - k * h, h })),
        "The steps go towards the noise: from r = 1 to 0 they are negative.",
      ],
      [
        run((k) => ({ r: 1 - k * h, h: -h / 2 })),
        "The points go half of the way: only half of the velocity counts.",
      ],
      [run((k) => ({ r: k * h, h: -h })), "r falls from 1 to 0: the first velocity is that of the noise."],
    ] as const;
    const known = mistakes.find(([law]) => near(law, 0.02));
    const digits = (value: number) => Number(value.toPrecision(3));
    return `Data of mean ${mean} and variance ${lambda} come back with mean ${digits(offset)} and variance ${digits(found)}.${known ? ` ${known[1]}` : ""}`;
  },
};

/** The velocity of Gaussian data of mean 0 and variance lambda at x_r = x. */
export const gaussianVelocity: Exercise<(x: number, lambda: number, r: number) => number> = {
  number: "16.3",
  fault(answer) {
    for (const lambda of [0.3, 2]) {
      for (const r of [0.2, 0.8]) {
        const x = 1.3;
        const total = (1 - r) ** 2 * lambda + r * r;
        const fault = numberFault(answer(x, lambda, r), ((r - (1 - r) * lambda) * x) / total, 1e-6, [
          [((1 - r) * lambda * x) / total, "That is the denoised state, the mean of x₀."],
          [(r * x) / total, "That is the mean of z alone; the mean of x₀ is taken off."],
          [((r + (1 - r) * lambda) * x) / total, "The target is z − x₀, not z + x₀."],
        ]);
        if (fault) return `For λ = ${lambda}, r = ${r}: ${fault}`;
      }
    }
    return undefined;
  },
};
