import assert from "node:assert/strict";
import { test } from "node:test";
import { renderFormula } from "../scripts/site/formulas";
import { allPieces, piecesOf, textFiles, wordsOf } from "./prose";
import { ownWords, Spelling, WORDS } from "./spelling";

const pieces = allPieces();

test("documents and notebooks are all looked at", () => {
  const files = textFiles();
  for (const file of [
    "README.md",
    "CONTRIBUTING.md",
    "environment.md",
    "docs/model.md",
    "docs/measured.md",
    "data/README.md",
    "data/models/README.md",
  ]) {
    assert.ok(files.includes(file), file);
  }
  assert.ok(files.filter((file) => /^notebooks\/.*\.ipynb$/.test(file)).length >= 6);
  const silent = files.filter((file) => !pieces.some(({ place }) => place.split(",")[0] === file));
  assert.deepEqual(silent, []);
});

test("every formula renders without a complaint of KaTeX", () => {
  let formulas = 0;
  const faults: string[] = [];
  for (const { kind, content, place } of pieces) {
    if (kind === "text") continue;
    formulas++;
    try {
      renderFormula(content, kind === "displayed formula", place);
    } catch (error) {
      faults.push((error as Error).message);
    }
  }
  assert.deepEqual(faults, []);
  assert.ok(formulas > 100);
});

test("no word is misspelt, and every own word of the project is needed", () => {
  const own = ownWords();
  const spelling = new Spelling(own);
  const wrong = new Map<string, Set<string>>();
  for (const { kind, content, place } of pieces) {
    if (kind !== "text") continue;
    for (const word of wordsOf(content)) {
      if (!spelling.correct(word)) wrong.set(word, (wrong.get(word) ?? new Set()).add(place));
    }
  }
  const told = Array.from(wrong, ([word, places]) => `${word} (${[...places].join("; ")})`);
  assert.deepEqual(told, [], `mend these words, or add them to ${WORDS} if they are right`);
  const { compare } = new Intl.Collator("en");
  assert.deepEqual(own, [...new Set(own)].sort(compare), `${WORDS} is sorted, each word once`);
  assert.deepEqual(
    own.filter((word) => !spelling.met.has(word)),
    [],
    `take these words out of ${WORDS}: no text has them`,
  );
  assert.deepEqual(
    own.filter((word) => spelling.inDictionary(word)),
    [],
    `take these words out of ${WORDS}: the dictionary has them`,
  );
});

test("the check of spelling finds what is wrong, and only in prose", () => {
  const spelling = new Spelling(["denoiser", "EDM"]);
  const text = [
    "# The denoisser's colour",
    "The `lenght` of a [lnik](https://exampel.org/wrnog), <b title='hiden'>the behavior</b> of $\\widehaat x$,",
    "file wrnog.ts, float32x, EDM's Denoisers: the edm standardizes, ![a pictrue](x.png).",
    "```sh\nmisspelt comand\n```",
  ].join("\n\n");
  const words = piecesOf(text, "text").flatMap(({ kind, content }) =>
    kind === "text" ? wordsOf(content) : [],
  );
  assert.deepEqual(
    words.filter((word) => !spelling.correct(word)),
    ["denoisser's", "lnik", "behavior", "Denoisers", "edm", "standardizes", "pictrue"],
  );
  assert.deepEqual([...spelling.met], ["EDM"]);
});
