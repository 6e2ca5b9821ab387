/** What sensors tell of a field, as a linear observation with noise of variance one. */
import { InputError } from "../backend/errors";
import type { Problem } from "../problem";

/** A measured value of one field, at a point or as a weighted mean of cells. */
export interface Sensor {
  /** Name of the field. */
  readonly field: string;
  /** Where, in m from x = 0 to L; between the centres of two cells the field is linear. */
  readonly x?: number;
  /** Instead of x: weights of the cells (cells). */
  readonly weights?: ArrayLike<number>;
  /** What was measured, in the field's unit. */
  readonly value: number;
  /** Standard deviation of its noise, in the field's unit. */
  readonly std: number;
}

/** y = A x + z with independent standard normal z: rows and values are divided by the deviation of their noise. */
export interface LinearObservation {
  /** A (values, size) */
  readonly matrix: Float64Array;
  /** y */
  readonly values: Float64Array;
  /** Numbers of x. */
  readonly size: number;
}

/** Observation of the fields (fields, cells) by some sensors. Throws InputError for a sensor that cannot be there. */
export function observationOf(problem: Problem, sensors: readonly Sensor[]): LinearObservation {
  const { cells, fields } = problem;
  if (sensors.length === 0) throw new InputError("There are no sensors; give at least one.");
  const size = fields.length * cells;
  const matrix = new Float64Array(sensors.length * size);
  sensors.forEach((sensor, j) => {
    const { field, value, std } = sensor;
    const f = fields.findIndex(({ name }) => name === field);
    if (f < 0) {
      const names = fields.map(({ name }) => name).join(" or ");
      throw new InputError(`The field of sensor ${j + 1} is ${JSON.stringify(field)}; give ${names}.`);
    }
    if (!Number.isFinite(value))
      throw new InputError(`The value of sensor ${j + 1} is ${value}; give a number.`);
    if (!(std > 0 && std < Infinity)) {
      throw new InputError(
        `The standard deviation of sensor ${j + 1} is ${std}; give one above 0, in ${fields[f].unit}.`,
      );
    }
    const weights = sensor.weights ?? weightsAt(problem, sensor.x ?? NaN, j);
    for (let i = 0; i < cells; i++) matrix[j * size + f * cells + i] = weights[i] / std;
  });
  return { matrix, size, values: Float64Array.from(sensors, ({ value, std }) => value / std) };
}

/**
 * Weights (cells) of the value at x: linear between centres; of the first cell's value up to its centre, as the slope at x = 0
 * is zero; and beyond the last centre on the line through the last two.
 */
function weightsAt({ cells, length }: Problem, x: number, sensor: number): Float64Array {
  if (!(x >= 0 && x <= length)) {
    throw new InputError(`The x of sensor ${sensor + 1} is ${x}; give a number from 0 to ${length} m.`);
  }
  const weights = new Float64Array(cells);
  const place = Math.max(0, (x / length) * cells - 0.5);
  const left = Math.min(cells - 2, Math.floor(place));
  weights[left] = left + 1 - place;
  weights[left + 1] = place - left;
  return weights;
}

/** A x in units of the noise, for rows of x (rows, size): (rows, values). */
export function observed({ matrix, values, size }: LinearObservation, x: Float64Array): Float64Array {
  const count = values.length;
  const rows = x.length / size;
  const result = new Float64Array(rows * count);
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < count; j++) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += matrix[j * size + i] * x[row * size + i];
      result[row * count + j] = sum;
    }
  }
  return result;
}

/** log N(y; A x, 1) less its constant, for rows of x (rows, size): (rows). */
export function logLikelihoods(observation: LinearObservation, x: Float64Array): Float64Array {
  const { values } = observation;
  const seen = observed(observation, x);
  return Float64Array.from({ length: seen.length / values.length }, (_, row) => {
    let square = 0;
    values.forEach((value, j) => (square += (value - seen[row * values.length + j]) ** 2));
    return -0.5 * square;
  });
}
