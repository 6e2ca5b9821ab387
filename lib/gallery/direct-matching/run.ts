/** The chapter's table and targets, for the command line. */
import { normalDraws, paths } from "../diffusion";
import { choleskyFactor, cloudMoments, type Gaussian, moments } from "../gaussianMoments";
import type { GallerySystem } from "../system";
import { densityMoments, fokkerPlanck } from "../fokkerPlanck";
import { closures, costAtEqualError, driftError, lastOf, learnVelocities } from "./method";
import { bean, beanStart, gaussianProcessDrift } from "./system";

const budgets = {
  smoke: { side: 61, particles: 1000, steps: 40, timed: 100 },
  lesson: { side: 121, particles: 20_000, steps: 200, timed: 1000 },
  full: { side: 241, particles: 50_000, steps: 400, timed: 2000 }, // with 100 steps the mean's bias is 4 standard errors
};

export const directMatching: GallerySystem = {
  name: "direct-matching",
  title: "Direct matching of the Fokker-Planck-Kolmogorov equation",
  paper:
    "Solin, Tamir & Verma 2021, Scalable Inference in SDEs by Direct Matching of the Fokker-Planck-Kolmogorov Equation",
  async run({ budget, seed, progress }) {
    const { side, particles, steps, timed } = budgets[budget];
    const velocities = bean();
    const diffusion = gaussianProcessDrift(velocities);
    progress(`Fokker-Planck-Kolmogorov equation on ${side} x ${side} cells`);
    const grid = lastOf(fokkerPlanck(diffusion, beanStart, [1], { reach: 3, side }));
    const exact = densityMoments(grid);
    progress(`Euler-Maruyama, ${particles} particles`);
    const starts = normalDraws(beanStart.mean, choleskyFactor(beanStart.covariance), particles, seed);
    const clouds = Array.from(paths(diffusion, starts, { endTime: 1, steps, seed }));
    const simulated = cloudMoments(clouds[steps - 1], 2);
    const named: [string, Gaussian][] = [
      [`FPK on a grid, ${side} x ${side}`, exact],
      [`Euler-Maruyama, ${particles} particles`, simulated],
    ];
    for (const [name, closure] of Object.entries(closures(2))) {
      named.push([
        `moments, ${name}`,
        lastOf(moments(diffusion, closure, beanStart, { endTime: 1, steps: 100 })),
      ]);
    }
    const off = (name: string) => meanError(named.find(([own]) => own === `moments, ${name}`)![1], exact);
    progress("a drift learned from clouds of 200 particles");
    const snapshots = Array.from({ length: 10 }, (_, k) => {
      const cloud = clouds[(steps / 10) * (k + 1) - 1].subarray(0, 400);
      return { step: 4 * k + 4, count: 200, seen: cloudMoments(cloud, 2) };
    });
    const settings = { endTime: 1, steps: 40, iterations: 10 };
    const learned = lastOf(learnVelocities(velocities.places, beanStart, snapshots, settings)).velocities;
    progress("one solve beside Monte Carlo at equal error, 2 to 64 dimensions");
    const ratios = [2, 8, 64]
      .map((d) => costAtEqualError(d, true, timed, seed))
      .map((cost) => cost.seconds / cost.solve);
    const mass = grid.values.reduce((sum, value) => sum + value, 0) * (6 / side) ** 2;
    const standardErrors = simulated.mean.map((_, i) =>
      Math.sqrt(simulated.covariance.get(i, i) / particles),
    );
    const scatter = Math.max(
      ...exact.mean.map((value, i) => Math.abs(value - simulated.mean[i]) / standardErrors[i]),
    );
    return {
      columns: ["m1", "m2", "P11", "P12", "P22"],
      rows: named.map(([name, { mean, covariance }]) => ({
        name,
        values: [...mean, covariance.get(0, 0), covariance.get(0, 1), covariance.get(1, 1)],
      })),
      targets: [
        { what: "mass of the grid's density, off by", value: Math.abs(mass - 1), at: "most", limit: 1e-12 },
        {
          what: "simulated means beside the grid's, in standard errors",
          value: scatter,
          at: "most",
          limit: 4,
        },
        {
          what: "cubature, error of the mean",
          value: off("cubature"),
          at: "most",
          limit: 0.03,
          beside: { linearised: off("linearised"), "Gauss-Hermite": off("Gauss-Hermite") },
        },
        { what: "linearised, error of the mean", value: off("linearised"), at: "least", limit: 0.09 },
        {
          what: "learned drift, relative error where the particles are",
          value: driftError(velocities, learned, clouds[steps / 2 - 1]),
          at: "most",
          limit: 0.25,
        },
        {
          what: "Monte Carlo's time in solves of equal error, smallest of d = 2, 8, 64",
          value: Math.min(...ratios),
          at: "least",
          limit: 10,
        },
      ],
    };
  },
};

/** Largest difference of two means. */
function meanError(a: Gaussian, b: Gaussian): number {
  return Math.max(...a.mean.map((value, i) => Math.abs(value - b.mean[i])));
}
