import path from "node:path";
import type { DataSet } from "../dataSet";
import { oneOf } from "../backend/errors";
import type { Problem } from "../problem";
import { AtomicFile, STANDARD } from "./files";

/**
 * Takes data sets of one problem, one after the other, in constant memory. The file appears at close(); call abandon()
 * instead if anything fails. Throws InputError if it cannot be written.
 */
export abstract class FieldsWriter {
  protected readonly target: AtomicFile;

  constructor(file: string) {
    this.target = new AtomicFile(file);
  }

  /** Appends all rows. */
  abstract write(data: DataSet): void;

  /** Puts the file in its place. */
  close(): void {
    this.target.commit();
  }

  /** Removes what was written; does nothing after close(). */
  abandon(): void {
    this.target.abandon();
  }
}

/**
 * Writes fields as CSV, one row a realisation: header c_0, c_1, ... of every field in turn, each number with the
 * fewest digits that read back exactly.
 */
export class CsvFieldsWriter extends FieldsWriter {
  constructor(
    file: string,
    private readonly problem: Problem,
  ) {
    super(file);
    const names = problem.fields.flatMap(({ name }) =>
      Array.from({ length: problem.cells }, (_, i) => `${name}_${i}`),
    );
    try {
      this.target.write(Buffer.from(`${names.join(",")}\n`));
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  write({ rows, fields }: DataSet): void {
    const width = this.problem.fields.length * this.problem.cells;
    for (let row = 0; row < rows; row++) {
      this.target.write(Buffer.from(`${fields.subarray(row * width, (row + 1) * width).join(",")}\n`));
    }
  }
}

/** Opens a file for fields in the format of its extension, .arrow or .csv; "-" is standard output, as CSV. Throws InputError. */
export function createFieldsWriter(
  file: string,
  problem: Problem,
  withLatent: boolean,
  metadata: Readonly<Record<string, string>> = {},
): FieldsWriter {
  const extension = oneOf(
    "The extension of the output",
    file === STANDARD ? ".csv" : path.extname(file).toLowerCase(),
    [".arrow", ".csv"],
  );
  if (extension === ".csv") return new CsvFieldsWriter(file, problem);
  // Only where it is needed, as the Arrow library takes a tenth of a second to load.
  const { ArrowFieldsWriter } = require("./arrowWriter") as typeof import("./arrowWriter");
  return new ArrowFieldsWriter(file, problem, withLatent, metadata);
}
