/** British spelling by a Hunspell dictionary, and the words of the project that it does not know. */
import fs from "node:fs";
import path from "node:path";

const root = path.join(__dirname, "..");

/** What this file needs of typo-js, which comes without types. */
type Dictionary = { check(word: string): boolean };
type DictionaryMaker = new (name: string, affixes: string, words: string) => Dictionary;

/** The file of the project's own words. */
export const WORDS = "docs/words.txt";

/** The project's own words, one a line. */
export const ownWords = (): string[] => fs.readFileSync(path.join(root, WORDS), "utf8").trim().split("\n");

/** A check of single words; it remembers which of the own words it has met. */
export class Spelling {
  readonly met = new Set<string>();
  private readonly dictionary: Dictionary;
  private readonly own: ReadonlySet<string>;

  constructor(own: Iterable<string>) {
    const folder = path.join(root, "node_modules", "dictionary-en-gb");
    const [affixes, words] = ["aff", "dic"].map((end) =>
      fs.readFileSync(path.join(folder, `index.${end}`), "utf8"),
    );
    const Typo = require("typo-js") as DictionaryMaker;
    this.dictionary = new Typo("en_GB", affixes, words);
    this.own = new Set(own);
  }

  /** Whether the dictionary alone has the word. */
  inDictionary(word: string): boolean {
    return this.dictionary.check(word);
  }

  /** Whether a word is right: itself, its form inside a sentence, or what owns by 's. */
  correct(word: string): boolean {
    const base = word.replace(/'s$/, "");
    const forms = [word, base, base.charAt(0).toLowerCase() + base.slice(1)];
    const own = forms.filter((form) => this.own.has(form));
    own.forEach((form) => this.met.add(form));
    return own.length > 0 || this.inDictionary(word) || this.inDictionary(base);
  }
}
