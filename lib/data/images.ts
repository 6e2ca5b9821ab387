/** Rows of data sets and their mirror images (Problem.mirror). */
import type { DataSet } from "../dataSet";
import { InputError } from "../backend/errors";
import type { Problem } from "../problem";
import { rowConditions } from "./rows";

/** The latent field of a row, or its mirror image. Throws InputError where there is none. */
export function latentOf({ problem, latent }: DataSet, row: number, image: boolean): Float64Array {
  if (!latent) {
    throw new InputError(
      "The data have no latent field, which this preset needs; train on data that generate made.",
    );
  }
  const drawn = latent.subarray(row * problem.cells, (row + 1) * problem.cells);
  return image ? mirrorOf(problem, drawn) : drawn;
}

function mirrorOf({ name, mirror }: Problem, latent: Float64Array): Float64Array {
  if (!mirror) throw new InputError(`The problem ${name} has no mirror images.`);
  return mirror(latent);
}

/** The responses (see Problem.responses) of a latent field, or of its mirror image. */
export function responsesOf(problem: Problem, latent: Float64Array, image: boolean): Float64Array[] {
  return problem.responses(image ? mirrorOf(problem, latent) : latent);
}

/** The fields (fields, cells) of a row, or of its mirror image. Throws InputError where there is none. */
export function fieldsOf(data: DataSet, row: number, image: boolean): Float64Array {
  const { problem } = data;
  const size = problem.fields.length * problem.cells;
  if (!image) return data.fields.subarray(row * size, (row + 1) * size);
  const fields = new Float64Array(size);
  problem.solve(latentOf(data, row, true), rowConditions(data, row), fields);
  return fields;
}
