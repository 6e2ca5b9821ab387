import path from "node:path";
import { oneOf } from "../errors";
import { CsvFieldsWriter } from "./csv";
import type { DataSet } from "../dataSet";
import type { Problem } from "../problem";

/** Takes data sets one after the other; the file appears at close(), and not at all after abandon(). */
export interface FieldsWriter {
  write(data: DataSet): void;
  close(): void;
  abandon(): void;
}

/** Opens a file for fields in the format of its extension, .arrow or .csv. Throws InputError. */
export function createFieldsWriter(
  file: string,
  problem: Problem,
  withLatent: boolean,
  metadata: Readonly<Record<string, string>> = {},
): FieldsWriter {
  const extension = oneOf("The extension of the output", path.extname(file).toLowerCase(), [
    ".arrow",
    ".csv",
  ]);
  if (extension === ".csv") return new CsvFieldsWriter(file, problem);
  // Only where it is needed, as the Arrow library takes a tenth of a second to load.
  const { ArrowFieldsWriter } = require("./arrowWriter") as typeof import("./arrowWriter");
  return new ArrowFieldsWriter(file, problem, withLatent, metadata);
}
