import fs from "node:fs";
import { asNumber, InputError, shown } from "../errors";
import { fileError } from "./files";

/** Longer than any line of 100 numbers can reasonably be: what exceeds it is not a CSV file. */
const MAX_LINE = 100_000;

/** The lines of a text file, without their ends, one at a time. */
async function* lines(file: string): AsyncGenerator<string> {
  let rest = "";
  try {
    for await (const chunk of fs.createReadStream(file, { encoding: "utf8" })) {
      const parts = (rest + (chunk as string)).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) yield line.replace(/\r$/, "");
      if (rest.length > MAX_LINE)
        throw new InputError(`Cannot read ${shown(file)}: it is not a CSV file of numbers.`);
    }
  } catch (error) {
    throw fileError("read", file, error);
  }
  if (rest !== "") yield rest;
}

/**
 * Reads a CSV file without header, one field a row, each value in (0, 1); yields one row (cells) at a time.
 * Throws InputError naming row and column, counted from 1, of a value that is missing or not allowed.
 */
export async function* readPorosityCsv(file: string, cells: number): AsyncGenerator<Float64Array> {
  let row = 0;
  for await (const line of lines(file)) {
    row++;
    const texts = line.replace(/^\uFEFF/, "").split(",");
    if (texts.length !== cells) {
      const count = line.trim() === "" ? 0 : texts.length;
      throw new InputError(
        `Row ${row} of ${shown(file)} has ${count} ${count === 1 ? "value" : "values"}; give ${cells} in every row.`,
      );
    }
    yield Float64Array.from(texts, (text, column) => {
      const value = asNumber(text);
      if (value > 0 && value < 1) return value; // false for NaN
      throw new InputError(
        `Row ${row}, column ${column + 1} of ${shown(file)} is ${shown(text.trim())}; ` +
          `give a number between 0 and 1, both excluded.`,
      );
    });
  }
  if (row === 0)
    throw new InputError(
      `Cannot read ${shown(file)}: it is empty; give one field of ${cells} numbers a row.`,
    );
}
