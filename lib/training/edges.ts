import type { DataSet } from "../data/dataset";
import { groupByCondition } from "../data/dataset";
import { conditionIndex } from "../data/problem";
import { InputError } from "../errors";
import type { Random } from "../random";

/** Of the conditions that are moved, the share that goes next to an end instead of onto it. */
const BESIDE_SHARE = 0.5;

/**
 * Moves a share of the conditions of a data set to the ends of their affine ranges, and solves again there for the
 * same latent fields. Conditions drawn at random hardly ever come close to an end, where a distribution may change
 * fast (the potential's spread at zero flux is a thousandth of its usual one).
 *
 * share: 0 .. 1; returns the data set itself where it is 0. Throws InputError if the data have no latent fields.
 */
export function moveToEdges(data: DataSet, share: number, random: Random): DataSet {
  if (share === 0) return data;
  const { problem, latent } = data;
  if (!latent || problem.affineIn.length === 0) {
    throw new InputError(
      "Conditions can be moved only where data hold latent fields and the problem is affine.",
    );
  }
  const [conditions, fields] = [data.conditions.slice(), data.fields.slice()];
  const [width, size] = [problem.conditions.length, problem.fields.length * problem.cells];
  for (const group of groupByCondition(data)) {
    if (random.uniform() >= share) continue;
    const moved = group.conditions.slice();
    const index = conditionIndex(
      problem,
      problem.affineIn[Math.floor(random.uniform() * problem.affineIn.length)],
    );
    const { min, max } = problem.conditions[index];
    // Beside an end all orders of magnitude of the distance matter alike.
    const distance = random.uniform() < BESIDE_SHARE ? 10 ** (-4 * random.uniform()) : 0;
    moved[index] = random.uniform() < 0.5 ? min + distance * (max - min) : max - distance * (max - min);
    for (const row of group.rows) {
      conditions.set(moved, row * width);
      problem.solve(
        latent.subarray(row * problem.cells, (row + 1) * problem.cells),
        moved,
        fields.subarray(row * size, (row + 1) * size),
      );
    }
  }
  return { ...data, conditions, fields };
}
