import { forEachDistance } from "./distances";
import { rowCount } from "./summary";

/** Euclidean distance of each row of x to the nearest row of y (another array), columns numbers a row. */
export function nearestDistances(x: Float64Array, y: Float64Array, columns: number): Float64Array {
  const nearest = new Float64Array(rowCount(x, columns)).fill(Infinity);
  forEachDistance(x, y, columns, (i, _j, distance) => {
    if (distance < nearest[i]) nearest[i] = distance;
  });
  return nearest;
}
